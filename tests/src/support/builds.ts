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
import { openNative } from './native-build.js';

/** Exports of the engine, numbers in, numbers out. */
export type Abi = Record<string, (...args: number[]) => number>;

export interface OpenedBuild {
  abi: Abi;
  memory: WebAssembly.Memory;
}

export interface ReleaseBuild {
  name: 'shared' | 'baseline' | 'native';
  open(maxTasks: number): OpenedBuild;
}

const PAGES_MAX = 65536;

/** The engine of tests/native, where scripts/native-host.mjs has built it. */
const native = process.env.BADNESS_NATIVE_ENGINE;

const modules = {
  shared: new WebAssembly.Module(readFileSync('dist/badness.wasm')),
  baseline: new WebAssembly.Module(readFileSync('dist/badness.baseline.wasm')),
};

function pagesFor(capacity: number): number {
  return Math.ceil((TASKS + 2 * SNAPSHOT_HEADER_BYTES + BYTES_PER_TASK * capacity) / WASM_PAGE_BYTES);
}

function openModule(name: 'shared' | 'baseline', pages: number): OpenedBuild {
  const shared = name === 'shared';
  const env = shared ? { memory: new WebAssembly.Memory({ initial: pages, maximum: PAGES_MAX, shared }) } : {};
  const { exports } = new WebAssembly.Instance(modules[name], { env });
  const memory = exports.memory as WebAssembly.Memory;
  if (!shared) memory.grow(pages - memory.buffer.byteLength / WASM_PAGE_BYTES);
  const functions = Object.entries(exports).filter(([, value]) => typeof value === 'function');
  return { abi: Object.fromEntries(functions) as Abi, memory };
}

function openProcess(pages: number, capacity: number): OpenedBuild {
  const names = WebAssembly.Module.exports(modules.baseline).filter(({ kind }) => kind === 'function');
  const memory = new WebAssembly.Memory({ initial: pages });
  return openNative(
    native!,
    names.map(({ name }) => name),
    memory,
    capacity,
  );
}

function open(name: ReleaseBuild['name'], maxTasks: number): OpenedBuild {
  const capacity = Math.ceil(maxTasks / COLUMN_ALIGN) * COLUMN_ALIGN;
  const pages = pagesFor(capacity);
  const opened = name === 'native' ? openProcess(pages, capacity) : openModule(name, pages);
  new DataView(opened.memory.buffer).setUint32(H_CAPACITY, capacity, true);
  return opened;
}

/** In a web page that is not isolated from other origins (tests/runtimes) memory cannot be shared. */
const names: ReleaseBuild['name'][] = [
  ...(typeof SharedArrayBuffer === 'function' ? (['shared'] as const) : []),
  'baseline',
  ...(native ? (['native'] as const) : []),
];

export const releaseBuilds: ReleaseBuild[] = names.map((name) => ({
  name,
  open: (maxTasks) => open(name, maxTasks),
}));

/** Byte address of the window of a thread. */
export function windowAt(thread: number): number {
  return WINDOWS + thread * WINDOW_BYTES;
}
