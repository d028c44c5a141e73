/** What a stranger's link or module brings: fragments of the playground's address, and WebAssembly that says it is a plug-in. */
import assert from 'node:assert/strict';
import binaryen from 'binaryen';
import fc from 'fast-check';
import { decodeLink, encodeLink, UNPACKED_MAX } from '../../../src/playground/link.js';
import { compilePlugin } from '../../../src/plugin/check-wasm.js';
import { wasmOf, wat } from '../../src/support/plugin-modules.js';
import { bytesOf, rangeRefusal, refusal, type Target, textOf } from '../target.js';

const { fragment } = await encodeLink({
  source: { kind: 'bytes', name: 'a.log', bytes: new TextEncoder().encode('some text, '.repeat(20)) },
  moment: 3,
  scoring: { scheme: 'badness', maxDiscount: 4, age: 'spare-old', adj: 'kernel' },
  adjustments: [[12, -500]],
  selected: 12,
  policy: 'version = 1\n',
});

export const link: Target = {
  name: 'link',
  seeds: [fragment, 'v=1&scenario=fork-bomb&at=4', `#${fragment}`],
  words: [
    'v=1',
    '&data=',
    '&policy=',
    '&adj=1:2,',
    '&at=',
    '&by=4,spare-old,kernel',
    '&scheme=badness',
    '%00',
    '%',
    '&__proto__=1',
    'eJw',
    '-',
    '_',
    '=',
    '+',
    '\xff',
  ],
  shaped: fc.base64String({ maxLength: 60 }).map((data) => `v=1&data=${data.replaceAll('=', '')}`),
  async check(input) {
    try {
      const state = await decodeLink(textOf(input));
      if (state === null) return 'none';
      if (state.source?.kind === 'bytes') assert.ok(state.source.bytes.length <= UNPACKED_MAX);
      assert.ok(state.policy.length <= UNPACKED_MAX && state.adjustments.length <= 200);
      return `${state.source?.kind} ${state.moment !== null} ${state.scoring?.scheme} ${state.adjustments.length}`;
    } catch (error) {
      return rangeRefusal(error);
    }
  },
};

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const MODULES = [
  wat(),
  wat({ memory: '(memory (export "memory") 1)' }),
  wat({ more: '(table 4 8 funcref)' }),
  wat({ more: '(func $s (drop (i32.const 1)))' }),
].map((text) => latin1(wasmOf(text)));

/** The declared end of the memory of a module that was taken, as another reader of the format has it. */
function memoryMost(bytes: Buffer): number | null {
  const module = binaryen.readBinary(new Uint8Array(bytes));
  const { max } = module.getMemoryInfo() as { max?: number };
  module.dispose();
  return max ?? null;
}

export const plugin: Target = {
  name: 'plugin',
  seeds: MODULES,
  words: [
    '\0asm\x01\0\0\0',
    '\x05\x03\x01\0\x04',
    '\x05\x04\x01\x01\x04\x40',
    '\x05\x04\x01\x03\x04\x40',
    '\x05\x04\x01\x05\x04\x40',
    '\x04\x04\x01\x70\0\x01',
    '\x80\x80\x80\x80\x10',
    '\xff\xff\xff\xff\x0f',
    '\x7f',
    '\0',
    '\x08\x01\0',
  ],
  async check(input) {
    const bytes = bytesOf(input);
    try {
      compilePlugin(new Uint8Array(bytes));
    } catch (error) {
      return refusal(error, 'EPLUGIN');
    }
    const most = memoryMost(bytes);
    assert.ok(most !== null && most <= 1024, `a memory of ${most} pages`);
    return 'taken';
  },
};
