// What is no plug-in is refused by name when it is loaded, within two seconds, whatever it does.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ownFolder } from './support/own-folder.js';
import { moduleFile, wasmFile, wat } from './support/plugin-modules.js';
import { openPluginScheme } from './support/plugin-scene.js';

type Code = { wasm: string } | { module: string; export: string };

async function refusal(code: Code): Promise<string> {
  const spec = { fallback: 'resident', deadlineMs: 50, ...code } as const;
  const began = performance.now();
  const refused = await openPluginScheme({ spec, tasks: 64 }).then(
    (plugin) => {
      plugin.close();
      return { code: 'none', message: 'it was taken' };
    },
    (error: { code: string; message: string }) => error,
  );
  assert.equal(refused.code, 'EPLUGIN', refused.message);
  assert.ok(performance.now() - began < 30_000);
  const name = 'wasm' in code ? code.wasm : `${code.module}#${code.export}`;
  assert.ok(refused.message.startsWith(`plug-in ${name}: `), refused.message);
  return refused.message.slice(`plug-in ${name}: `.length);
}

describe('plug-in: a WebAssembly module is refused', () => {
  const cases: [what: string, parts: Parameters<typeof wat>[0], words: RegExp][] = [
    [
      'that imports something',
      { head: '(import "env" "now" (func $now (result f64)))' },
      /must import nothing, got env\.now$/,
    ],
    ['without abi_version', { abi: '' }, /must export the function abi_version, got none$/],
    [
      'whose score_batch is a global',
      {
        more: '(global (export "reserve2") i32 (i32.const 1))',
        reserve: '(global (export "reserve") i32 (i32.const 1024))',
      },
      /must export the function reserve, got global$/,
    ],
    [
      'for another version',
      { abi: '(func (export "abi_version") (result i32) (i32.const 2))' },
      /must answer abi_version with 1, got 2$/,
    ],
    [
      'whose memory has no declared end',
      { memory: '(memory (export "memory") 4)' },
      /the memory \(in pages of 64 KiB\) must have a declared maximum of at most 1024, got none$/,
    ],
    ['whose memory may grow too far', { memory: '(memory (export "memory") 4 2000)' }, /at most 1024, got 2000$/],
    [
      'whose memory is shared',
      { memory: '(memory (export "memory") 4 64 shared)' },
      /the memory \(in pages of 64 KiB\) must not be shared$/,
    ],
    ['whose memory is not exported', { memory: '(memory 4 64)' }, /must export the memory memory, got none$/],
    [
      'whose table has no end',
      { more: '(table 1 funcref)' },
      /the table must have a declared maximum of at most 65536, got none$/,
    ],
    [
      'that loops while it is started',
      { more: '(func $loop (loop $l (br $l))) (start $loop)' },
      /was not ready within 2000 ms$/,
    ],
    [
      'that traps while it is started',
      { more: '(func $trap (unreachable)) (start $trap)' },
      /RuntimeError: unreachable$/,
    ],
    [
      'without room for one task',
      { reserve: '(func (export "reserve") (param i32) (result i32) (i32.const 0))' },
      /reserve has no room for 1 tasks$/,
    ],
    [
      'whose region is not aligned',
      { reserve: '(func (export "reserve") (param i32) (result i32) (i32.const 1028))' },
      /reserve must answer a multiple of 8, got 1028$/,
    ],
    [
      'whose region is a 64-bit number',
      { reserve: '(func (export "reserve") (param i32) (result i64) (i64.const 1024))' },
      /reserve must answer an i32, got bigint$/,
    ],
  ];
  for (const [what, parts, words] of cases) {
    test(what, async (t) => assert.match(await refusal({ wasm: wasmFile(t, wat(parts)) }), words));
  }

  test('that is none, is not there, or has too many bytes', async (t) => {
    const folder = ownFolder(t);
    const [text, large] = [join(folder, 'text.wasm'), join(folder, 'large.wasm')];
    writeFileSync(text, 'not a module');
    writeFileSync(large, Buffer.alloc(16 * 2 ** 20 + 1));
    assert.match(await refusal({ wasm: text }), /is no WebAssembly module: /);
    assert.match(await refusal({ wasm: join(folder, 'none.wasm') }), /^cannot be read: ENOENT$/);
    assert.match(await refusal({ wasm: large }), /^must have at most 16777216 bytes$/);
  });
});

describe('plug-in: a JavaScript module is refused', () => {
  const cases: [what: string, code: string, words: RegExp][] = [
    [
      'without the export',
      'export const weight = 1; export function score() {}',
      /must export the function points, exports score, weight$/,
    ],
    ['whose export is no function', 'export const points = 7;', /must export the function points, exports points$/],
    ['that is no JavaScript', 'export function points( {', /SyntaxError: /],
    ['that throws', 'throw new Error("not here");', /Error: not here$/],
    [
      'that waits for ever',
      'await new Promise(() => {}); export const points = () => 1;',
      /its thread has ended$|was not ready within 2000 ms$/,
    ],
    ['that keeps busy for ever', 'for (;;); export const points = () => 1;', /was not ready within 2000 ms$/],
    [
      'that waits with a timer',
      'await new Promise((r) => setTimeout(r, 60_000)); export const points = () => 1;',
      /was not ready within 2000 ms$/,
    ],
    ['that ends its process', 'process.exit(0); export const points = () => 1;', /its thread has ended$/],
  ];
  for (const [what, code, words] of cases) {
    test(what, async (t) => assert.match(await refusal({ module: moduleFile(t, code), export: 'points' }), words));
  }

  test('that is not there', async () => {
    const words = await refusal({ module: 'file:///nowhere/at/all/own.mjs', export: 'points' });
    assert.match(words, /Cannot find module '\/nowhere\/at\/all\/own\.mjs'/);
  });
});
