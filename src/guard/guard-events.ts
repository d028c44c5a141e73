/** Stage: report. What a guard tells while it watches, as it happens. */

import { type Plain, snakeKeys } from '../json-keys.js';
import type { PressureLevel } from '../pressure/memory-state.js';
import type { PanicState } from './panic.js';
import { type RoundReport, roundReportToJson } from './round-report.js';

/** Times are milliseconds of the guard's monotonic clock. */
export type GuardEvent =
  /** Pressure has changed. `words`: the reading, for people. */
  | {
      readonly kind: 'level';
      readonly atMs: number;
      readonly level: PressureLevel;
      readonly was: PressureLevel;
      readonly words: string;
    }
  /** Pressure cannot be read: nobody is killed until it can. Said when it begins, and with `error` null when it is over. */
  | { readonly kind: 'unreadable'; readonly atMs: number; readonly error: string | null }
  /** A round has ended. Repetitions of an outcome that changes nothing are counted in `repeated` and not told one by one. */
  | {
      readonly kind: 'round';
      readonly atMs: number;
      readonly level: 'term' | 'kill';
      readonly report: RoundReport;
      readonly repeated: number;
      /** Somebody asked for it by hand (`Guard.round`). */
      readonly asked?: true;
    }
  /** Another policy is in force from now on; or, with what is wrong with it in lines of words, it was refused, and nothing has changed. */
  | { readonly kind: 'policy'; readonly atMs: number; readonly error: string | null }
  /** A plug-in was cut off, and the fallback scheme decides, said with the reason; or, with `error` null, it answers again. */
  | { readonly kind: 'plugin'; readonly atMs: number; readonly name: string; readonly error: string | null }
  /** A panic has come so far (PanicState); `problem`: what went wrong on the way there, as an end that could not be brought about. */
  | { readonly kind: 'panic'; readonly atMs: number; readonly state: PanicState; readonly problem: string | null }
  /** A round failed by an error of the host, not of the world. */
  | { readonly kind: 'failed'; readonly atMs: number; readonly error: string }
  /** The machine was suspended for so long: rates, durations and the gate begin anew. */
  | { readonly kind: 'resumed'; readonly atMs: number; readonly sleptMs: number };

/** How often what, since the guard began. */
export interface GuardCounters {
  readings: number;
  rounds: number;
  /** Rounds that ended in a proved release, and the memory that came back with them. */
  released: number;
  freedBytes: number;
  /** Rounds that were dry, refused, without a victim, stuck, busy, and so on. */
  others: number;
}

/** The event with the keys of the JSON output; a round as roundReportToJson has it. */
export function guardEventToJson(event: GuardEvent): { readonly [key: string]: Plain } {
  const { report, ...plain } = { report: null, ...event };
  const keys = snakeKeys(plain as unknown as Plain) as { readonly [key: string]: Plain };
  return report === null ? keys : { ...keys, report: roundReportToJson(report) };
}
