/**
 * Stage: all of them. Opens the engine: chooses the build, sizes the one memory, checks the ABI, and gives typed calls
 * over it. Knows no host: bytes come in through the window, numbers go out.
 */
import { instantiateSync } from '@assemblyscript/loader';
import * as L from '../assembly/layout.js';
import shared from '../dist/badness.wasm';
import { BadnessError } from './errors.js';
import type { GateAbi } from './gate.js';
import type { QueueAbi } from './queue.js';
import type { TokenAbi } from './token.js';

/** The functions that assembly/index.ts exports. `w` is the byte address of a window; answers below 0 are `E_*`. */
export interface EngineAbi extends GateAbi, QueueAbi, TokenAbi {
  /** `ABI_VERSION` of the engine. */
  abi_version(): number;
  /** Begins the snapshot that nobody reads. `hz` of the jiffies, bytes of a page, uptime in 1/100 s. */
  table_begin(hz: number, pageSize: number, uptimeTicks: number): number;
  /** Puts the staged task of the window into it. Answers its slot; `E_VALUE`, `E_FULL`. */
  table_put(w: number): number;
  /** From now on readers see that snapshot. Answers how many tasks it has. */
  table_publish(): number;
  /** Replaces the row of `slot` in the current snapshot by the staged task. `E_RANGE`, `E_VALUE`. */
  table_refresh(w: number, slot: number): number;
  /** Stages what a text of /proc/PID/stat in the window says. `E_FORMAT`, `E_SHORT`. */
  stat_parse(w: number, length: number, hz: number): number;
  /** The same of /proc/PID/statm. */
  statm_parse(w: number, length: number): number;
  /** The same of /proc/PID/status; answers whether the task has an address space. */
  status_parse(w: number, length: number, pageSize: number): number;
  /** Points and every term of the inputs in the window, which belong to no table. */
  points_scalar(w: number, scheme: number): number;
  /** Gives points to every row of the current snapshot. Answers how many are eligible; `E_RANGE`. */
  score(w: number, scheme: number): number;
  /** The slot of the victim, after `score`; `E_NO_VICTIM`, `E_IN_FLIGHT`. */
  select(w: number, scheme: number): number;
  /** Writes the order of the worst `limit` rows, worst first. Answers how many it wrote. */
  rank(scheme: number, limit: number): number;
  /** Writes every term of the points of one row to the window. `E_RANGE`. */
  explain(w: number, slot: number, scheme: number): number;
  /** Appends the canonical record of a decision to the ring. Answers its number. */
  decision_write(w: number, scheme: number, eligible: number, outcome: number): number;
}

/** `shared`: shared memory and SIMD, for threads. `baseline`: a memory of its own, for everywhere. Both decide the same. */
export type EngineBuild = 'shared' | 'baseline';

/** Which engine to open, and how large. `openEngine` checks it. */
export interface EngineOptions {
  /** Most tasks a snapshot can hold, 1 … 1,048,576; memory is sized by it once. Default 16,384. */
  maxTasks?: number;
  /** Which build to use. Default: `shared` where WebAssembly.validate accepts it, else `baseline`. */
  build?: EngineBuild;
  /** A compiled engine, where the caller fetched it itself (badness.wasm, badness.baseline.wasm). Wants `build`. */
  module?: WebAssembly.Module;
  /** The memory of an engine on another thread, to work on the same tables. Only with the shared build. */
  memory?: WebAssembly.Memory;
  /** Number of this thread's window, 0 … 15; every thread on one memory needs its own. Default 0. */
  thread?: number;
}

const DEFAULT_MAX_TASKS = 16_384;
const MEMORY_PAGES_MAX = 65_536;

/** One instance of the engine with its memory, and views of the calling thread's window. */
export class Engine {
  readonly abi: EngineAbi;
  readonly build: EngineBuild;
  readonly memory: WebAssembly.Memory;
  /** Tasks that a snapshot can hold; what was asked for, rounded up to a multiple of 64. */
  readonly capacity: number;
  /** Address of this thread's window. */
  readonly window: number;
  /** The whole memory, little-endian, and as bytes. */
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** The cells of the staged task, indexed by FIELD_*. */
  readonly fields: Float64Array;

  constructor(abi: EngineAbi, build: EngineBuild, memory: WebAssembly.Memory, capacity: number, thread: number) {
    this.abi = abi;
    this.build = build;
    this.memory = memory;
    this.capacity = capacity;
    this.window = L.WINDOWS + thread * L.WINDOW_BYTES;
    this.view = new DataView(memory.buffer);
    this.bytes = new Uint8Array(memory.buffer);
    this.fields = new Float64Array(memory.buffer, this.window + L.W_FIELDS, L.FIELDS);
  }

  /** Address of the snapshot that readers use. */
  get snapshot(): number {
    return L.TASKS + this.view.getUint32(L.H_CURRENT, true) * snapshotBytes(this.capacity);
  }

  /** Tasks in the current snapshot. */
  get count(): number {
    return this.view.getUint32(this.snapshot + L.S_COUNT, true);
  }

  /** Address of the cell of `slot` in a column of the current snapshot. `width` 4, 8 or 16 bytes. */
  cell(column: number, slot: number, width: number): number {
    return this.snapshot + L.SNAPSHOT_HEADER_BYTES + column * this.capacity + slot * width;
  }

  /** The cell of `slot` in a column of 64-bit floats (quantities), of the current snapshot. */
  f64(column: number, slot: number): number {
    return this.view.getFloat64(this.cell(column, slot, 8), true);
  }

  /** The cell of `slot` in a column of unsigned 32-bit words (ids, flags). */
  u32(column: number, slot: number): number {
    return this.view.getUint32(this.cell(column, slot, 4), true);
  }

  /** The cell of `slot` in a column of signed 32-bit words (nice values, oom_score_adj). */
  i32(column: number, slot: number): number {
    return this.view.getInt32(this.cell(column, slot, 4), true);
  }

  /** Slot number `index` of the order that `rank` wrote. */
  ordered(index: number): number {
    const scratch = L.TASKS + 2 * snapshotBytes(this.capacity);
    return this.view.getUint32(scratch + L.X_ORDER * this.capacity + index * 4, true);
  }
}

function snapshotBytes(capacity: number): number {
  return L.SNAPSHOT_HEADER_BYTES + L.COLUMNS_BYTES * capacity;
}

function memoryPages(capacity: number): number {
  const bytes = L.TASKS + 2 * snapshotBytes(capacity) + L.SCRATCH_BYTES * capacity;
  return Math.ceil(bytes / L.WASM_PAGE_BYTES);
}

function checkInteger(name: string, value: number, low: number, high: number): void {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new RangeError(`${name} must be an integer ${low}..${high}, got ${value}`);
  }
}

/** The shared build imports its memory, the other brings its own: mixed up, host and engine would look at two. */
function checkModule(module: WebAssembly.Module, build: EngineBuild): void {
  const imported = WebAssembly.Module.imports(module).some(({ kind }) => kind === 'memory');
  if (imported === (build === 'shared')) return;
  throw new BadnessError('EABI', `expected the module of the ${build} build, got another`);
}

function checkMemory(memory: WebAssembly.Memory, pages: number): void {
  const { buffer } = memory;
  const present = buffer.byteLength / L.WASM_PAGE_BYTES;
  if (buffer.constructor !== SharedArrayBuffer) throw new TypeError('memory must be shared');
  if (present < pages) {
    throw new BadnessError(
      'EABI',
      `memory must be that of an engine with as many maxTasks: ${pages} pages, got ${present}`,
    );
  }
}

function canShare(): boolean {
  return typeof SharedArrayBuffer === 'function' && WebAssembly.validate(shared);
}

/**
 * Opens an engine. Nothing is read and nobody is touched: it is memory and arithmetic.
 * Throws RangeError for options out of range, BadnessError `EABI` when module or memory are of another version.
 */
export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  const { maxTasks = DEFAULT_MAX_TASKS, thread = 0 } = options;
  checkInteger('maxTasks', maxTasks, L.TASKS_MIN, L.TASKS_MAX);
  checkInteger('thread', thread, 0, L.THREADS_MAX - 1);
  const build = options.build ?? (canShare() ? 'shared' : 'baseline');
  if (options.memory && build !== 'shared') throw new TypeError('memory wants the shared build, got baseline');
  const bytes = build === 'shared' ? shared : (await import('./engine-baseline.js')).default;
  const module = options.module ?? new WebAssembly.Module(bytes);
  checkModule(module, build);
  const capacity = Math.ceil(maxTasks / L.COLUMN_ALIGN) * L.COLUMN_ALIGN;
  if (options.memory) checkMemory(options.memory, memoryPages(capacity));
  const { abi, memory } = instantiate(module, build, capacity, options.memory);
  const version = abi.abi_version();
  if (version !== L.ABI_VERSION || !claimHeader(new DataView(memory.buffer), capacity)) {
    throw new BadnessError('EABI', `engine and host must be of one version: host ${L.ABI_VERSION}, engine ${version}`);
  }
  return new Engine(abi, build, memory, capacity, thread);
}

/** Writes the header of a zeroed memory, or checks that of one that another thread has written. */
function claimHeader(view: DataView, capacity: number): boolean {
  const header: [cell: number, value: number][] = [
    [L.H_CAPACITY, capacity],
    [L.H_ABI, L.ABI_VERSION],
    [L.H_MAGIC, L.MAGIC],
  ];
  if (view.getUint32(L.H_MAGIC, true) === 0) for (const [cell, value] of header) view.setUint32(cell, value, true);
  return header.every(([cell, value]) => view.getUint32(cell, true) === value);
}

function instantiate(module: WebAssembly.Module, build: EngineBuild, capacity: number, given?: WebAssembly.Memory) {
  const pages = memoryPages(capacity);
  if (build === 'shared') {
    const memory = given ?? new WebAssembly.Memory({ initial: pages, maximum: MEMORY_PAGES_MAX, shared: true });
    const { exports } = instantiateSync<Record<string, unknown>>(module, { env: { memory } });
    return { abi: exports as unknown as EngineAbi, memory };
  }
  const { exports } = instantiateSync<Record<string, unknown>>(module, {});
  const memory = exports.memory as WebAssembly.Memory;
  const present = memory.buffer.byteLength / L.WASM_PAGE_BYTES;
  if (pages > present) memory.grow(pages - present);
  return { abi: exports as unknown as EngineAbi, memory };
}
