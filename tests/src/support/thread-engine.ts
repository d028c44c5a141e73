// The shared build over a memory of another thread, for the workers of race tests.

import { readFileSync } from 'node:fs';
import type { Abi } from './builds.js';

/** Exports of an instance of this thread's own over `memory`. */
export function abiOver(memory: WebAssembly.Memory): Abi {
  const module = new WebAssembly.Module(readFileSync('dist/badness.wasm'));
  return new WebAssembly.Instance(module, { env: { memory } }).exports as Abi;
}

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** Lets the other threads go on for about this long. */
export function pause(ms: number): void {
  Atomics.wait(nobody, 0, 0, ms);
}
