// The release builds of the engine, each opened over a memory of its own, for tests that run on every one of them.

import { readFileSync } from 'node:fs';
import {
  BYTES_PER_TASK,
  COLUMN_ALIGN,
  H_CAPACITY,
  SNAPSHOT_HEADER_BYTES,
  TASKS,
  WASM_PAGE_BYTES,
  WINDOW_BYTES,
  WINDOWS,
} from '../../../assembly/layout.js';

/** Exports of the engine, numbers in, numbers out. */
export type Abi = Record<string, (...args: number[]) => number>;

export interface OpenedBuild {
  abi: Abi;
  memory: WebAssembly.Memory;
}

export interface ReleaseBuild {
  name: 'shared' | 'baseline';
  open(maxTasks: number): OpenedBuild;
}

const PAGES_MAX = 65536;

const modules = {
  shared: new WebAssembly.Module(readFileSync('dist/badness.wasm')),
  baseline: new WebAssembly.Module(readFileSync('dist/badness.baseline.wasm')),
};

function open(name: ReleaseBuild['name'], maxTasks: number): OpenedBuild {
  const capacity = Math.ceil(maxTasks / COLUMN_ALIGN) * COLUMN_ALIGN;
  const bytes = TASKS + 2 * SNAPSHOT_HEADER_BYTES + BYTES_PER_TASK * capacity;
  const pages = Math.ceil(bytes / WASM_PAGE_BYTES);
  const shared = name === 'shared';
  const env = shared ? { memory: new WebAssembly.Memory({ initial: pages, maximum: PAGES_MAX, shared }) } : {};
  const { exports } = new WebAssembly.Instance(modules[name], { env });
  const memory = exports.memory as WebAssembly.Memory;
  if (!shared) memory.grow(pages - memory.buffer.byteLength / WASM_PAGE_BYTES);
  const functions = Object.entries(exports).filter(([, value]) => typeof value === 'function');
  const abi = Object.fromEntries(functions) as Abi;
  new DataView(memory.buffer).setUint32(H_CAPACITY, capacity, true);
  return { abi, memory };
}

/** Both, but in a web page that is not isolated from other origins (tests/runtimes): there memory cannot be shared. */
const names: ReleaseBuild['name'][] = typeof SharedArrayBuffer === 'function' ? ['shared', 'baseline'] : ['baseline'];

export const releaseBuilds: ReleaseBuild[] = names.map((name) => ({
  name,
  open: (maxTasks) => open(name, maxTasks),
}));

/** Byte address of the window of a thread. */
export function windowAt(thread: number): number {
  return WINDOWS + thread * WINDOW_BYTES;
}
