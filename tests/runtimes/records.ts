/** Decision records of given tables, as bytes: two runtimes decide the same when these are equal. */

import { decide } from '../../src/decision.js';
import { type EngineBuild, loadTasks, openEngine, parseTaskLines } from '../../src/index.js';

/** A table as NDJSON, and the scheme to decide by. */
export interface RecordAsk {
  readonly name: string;
  readonly scheme: string;
  readonly lines: string;
}

/** One record an ask, as hexadecimal digits. */
export async function recordsOf(build: EngineBuild, asks: readonly RecordAsk[]): Promise<string[]> {
  const engine = await openEngine({ build, maxTasks: 256 });
  return asks.map(({ scheme, lines }) => {
    const { machine, options, tasks } = parseTaskLines(lines);
    loadTasks(engine, tasks, machine);
    const { bytes } = decide(engine, { totalPages: machine.totalPages, ...options, scheme: scheme as never });
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  });
}
