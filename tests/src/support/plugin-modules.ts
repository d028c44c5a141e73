// Plug-ins that a test writes: WebAssembly from its text form, JavaScript as files in a folder of the test's own.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import binaryen from 'binaryen';
import { PLUGIN_ABI } from '../../../src/plugin/layout.js';
import { ownFolder } from './own-folder.js';

export interface WasmParts {
  /** Declarations in front. */
  readonly head?: string;
  readonly memory?: string;
  readonly abi?: string;
  readonly reserve?: string;
  /** Instructions that leave an i32. */
  readonly score?: string;
  readonly more?: string;
}

/** Where its region is. */
export const WASM_REGION = 1024;

/** The text of a plug-in that leaves the points as they are, unless the parts say otherwise. */
export function wat(parts: WasmParts = {}): string {
  return `(module
  ${parts.head ?? ''}
  ${parts.memory ?? '(memory (export "memory") 4 64)'}
  ${parts.abi ?? `(func (export "abi_version") (result i32) (i32.const ${PLUGIN_ABI}))`}
  ${parts.reserve ?? `(func (export "reserve") (param i32) (result i32) (i32.const ${WASM_REGION}))`}
  (func (export "score_batch") (param $n i32) (result i32) (local $i i32)
    ${parts.score ?? '(i32.const 0)'})
  ${parts.more ?? ''})`;
}

/** For each task: instructions that leave its points, an f64, of the address $p of its place in the column of points. */
export function eachTask(points: string): string {
  return `(block $end (loop $next
    (br_if $end (i32.ge_u (local.get $i) (local.get $n)))
    (f64.store offset=${WASM_REGION + 64} (i32.shl (local.get $i) (i32.const 3)) ${points})
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br $next)))
  (i32.const 0)`;
}

export function wasmOf(text: string): Uint8Array<ArrayBuffer> {
  const module = binaryen.parseText(text);
  // Whatever a runtime knows may be in a module that somebody brings.
  module.setFeatures(binaryen.Features.All);
  const bytes = module.emitBinary();
  module.dispose();
  return new Uint8Array(bytes);
}

export function wasmFile(t: TestContext, text: string): string {
  const path = join(ownFolder(t), 'plugin.wasm');
  writeFileSync(path, wasmOf(text));
  return path;
}

/** A module whose function `points` has this body. */
export const points = (body: string) => `export function points(task, machine) { ${body} }`;

/** The URL of a JavaScript module. */
export function moduleFile(t: TestContext, code: string): string {
  const path = join(ownFolder(t), 'plugin.mjs');
  writeFileSync(path, code);
  return pathToFileURL(path).href;
}
