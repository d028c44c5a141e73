/** Decision records of given tables, as bytes: two runtimes decide the same when these are equal. */

import { decide } from '../../src/decision.js';
import { type Engine, loadTasks, parseTaskLines, type SchemeName } from '../../src/index.js';

/** A table as NDJSON, and the scheme to decide by. */
export interface RecordAsk {
  readonly name: string;
  readonly scheme: string;
  readonly lines: string;
}

/** One record an ask, as hexadecimal digits. */
export function recordsOf(engine: Engine, asks: readonly RecordAsk[]): string[] {
  return asks.map(({ scheme, lines }) => {
    const { machine, options, tasks } = parseTaskLines(lines);
    loadTasks(engine, tasks, machine);
    const { bytes } = decide(engine, { totalPages: machine.totalPages, ...options, scheme: scheme as SchemeName });
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  });
}
