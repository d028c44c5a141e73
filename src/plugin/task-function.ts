/** Stage: points. A plug-in as a function of one task: what it is given, and how it is asked about all of them. */
import { decodeComm } from '../comm.js';
import { BadnessError } from '../errors.js';
import { COLUMNS, HEADER, HEADER_BYTES } from './layout.js';

/** One task that may be chosen. Absent quantities are 0. */
export interface PluginTask {
  /** What the fallback scheme gives. */
  readonly points: number;
  readonly totalVmPages: number;
  readonly rssPages: number;
  readonly rssAnonPages: number;
  readonly rssShmemPages: number;
  readonly swapPages: number;
  readonly pgtablesBytes: number;
  readonly utimeJiffies: number;
  readonly stimeJiffies: number;
  /** 1/100 s since boot. */
  readonly startTimeTicks: number;
  readonly tgid: number;
  readonly ppid: number;
  readonly sid: number;
  readonly threads: number;
  readonly uid: number;
  readonly euid: number;
  readonly nice: number;
  readonly oomScoreAdj: number;
  readonly comm: string;
}

/** The machine as a function of a plug-in is told of it. */
export interface PluginMachine {
  /** Memory and swap of the domain. */
  readonly totalPages: number;
  readonly pageSize: number;
  readonly hz: number;
  readonly uptimeS: number;
  /** How many are asked about. */
  readonly tasks: number;
}

/** Points of a task, 0 … 2^53; more of them, sooner sacrificed. Fractions are rounded down. */
export type PointsFunction = (task: PluginTask, machine: PluginMachine) => number;

const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const ARRAYS = { f64: Float64Array, u32: Uint32Array, i32: Int32Array, bytes: Uint8Array } as const;

/** `a promise`, `"text"`, `NaN` … */
function kindOf(value: unknown): string {
  if (typeof (value as PromiseLike<unknown> | null)?.then === 'function') return 'a promise';
  return value === null ? 'null' : typeof value;
}

/**
 * Asks about each task in a region of n, and writes the answers into its column of points. Throws BadnessError `EPLUGIN` for an answer
 * that is no number, and whatever the function throws.
 */
export function askOfEach(points: PointsFunction, n: number, buffer: ArrayBufferLike, at = 0): void {
  const cells = new Float64Array(buffer, at, HEADER_BYTES / 8);
  const machine = Object.fromEntries(HEADER.map(({ name, at: cell }) => [camel(name), cells[cell / 8]!]));
  const columns = COLUMNS.map(({ name, type, bytes, offset }) => {
    const array = new ARRAYS[type](
      buffer as ArrayBuffer,
      at + HEADER_BYTES + offset * n,
      type === 'bytes' ? n * bytes : n,
    );
    return { key: camel(name), bytes, array: array as Float64Array | Uint8Array };
  });
  // Nobody's answer is seen by whom it is asked of next.
  const answers = new Float64Array(n);
  for (let index = 0; index < n; ++index) {
    const task: Record<string, unknown> = {};
    for (const { key, bytes, array } of columns) {
      task[key] =
        array instanceof Uint8Array ? decodeComm(array.slice(index * bytes, (index + 1) * bytes)) : array[index]!;
    }
    const answer: unknown = points(task as unknown as PluginTask, { ...machine } as unknown as PluginMachine);
    if (typeof answer !== 'number') {
      throw new BadnessError('EPLUGIN', `points of a task must be a number, got ${kindOf(answer)}`);
    }
    answers[index] = answer;
  }
  new Float64Array(buffer, at + HEADER_BYTES, n).set(answers);
}
