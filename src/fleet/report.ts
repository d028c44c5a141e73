/** Stage: report. What machines report, as the text of messages: whole decisions, memory, and how they stand. Keys as in all JSON output. */
import type { MemoryNews } from '../guard/index.js';
import type { Plain } from '../json-keys.js';
import { isNumber, isText } from './plain-kinds.js';
import type { PolicyOrigin } from './policy-keeper.js';

/** Of the messages of this badness. */
export const REPORT_SCHEMA = 1;

/** Whose policy decided; null for the machine's own file. */
export type OriginRecord = {
  readonly key: string;
  readonly revision: number;
  readonly sequence: number;
  readonly step: string;
};

/** What a shadow policy would have done at a decision. */
export interface ShadowVerdict extends PolicyOrigin {
  /** Why it could not be evaluated; then all else is null. */
  readonly error: string | null;
  /** Whether it would have decided otherwise: another victim, another signal, or not at all. */
  readonly changed: boolean | null;
  /** Of what changed: `victim`, `no-victim`, `in-flight`, `not-short`; null where nothing did. */
  readonly outcome: string | null;
  readonly signal: string | null;
  readonly victim: { readonly tgid: number; readonly comm: string; readonly points: number | null } | null;
}

/** One round of a guard, whole. */
export interface DecisionReport {
  readonly schema: number;
  readonly kind: 'decision';
  /** Unique for ever: machine, run of its guard, number within it. */
  readonly id: string;
  readonly host: string;
  readonly wall_ms: number;
  readonly policy: OriginRecord | null;
  /** The event as `badness guard --json` writes it. */
  readonly event: { readonly [key: string]: Plain };
  /** The canonical record of the engine, Base64; null of a round that chose nobody. */
  readonly record: string | null;
  readonly shadow: ShadowVerdict | null;
}

/** Memory of a machine, KiB. */
export interface PressureReport {
  readonly schema: number;
  readonly kind: 'pressure';
  readonly host: string;
  readonly wall_ms: number;
  readonly level: string;
  readonly memory: {
    readonly total_kib: number;
    readonly available_kib: number;
    readonly swap_total_kib: number;
    readonly swap_free_kib: number;
  };
}

/** What a reading of memory is as a report. */
export function pressureReport(host: string, wallMs: number, news: MemoryNews): PressureReport {
  const { level, totalKib, availableKib, swapTotalKib, swapFreeKib } = news;
  const memory = {
    ...{ total_kib: totalKib, available_kib: availableKib },
    ...{ swap_total_kib: swapTotalKib, swap_free_kib: swapFreeKib },
  };
  return { schema: REPORT_SCHEMA, kind: 'pressure', host, wall_ms: wallMs, level, memory };
}

/** A policy that was refused, and why. */
export interface RefusedRecord {
  readonly key: string;
  readonly revision: number;
  readonly code: string;
  readonly message: string;
}

/** How a machine stands: which policy it has, what it refused, what waits. */
export interface StateReport {
  readonly schema: number;
  readonly kind: 'state';
  readonly host: string;
  readonly labels: readonly string[];
  readonly wall_ms: number;
  readonly version: string;
  /** Of this run of its guard. */
  readonly run: string;
  /** False in the last one of a run that ended by itself. */
  readonly running: boolean;
  readonly policy: OriginRecord | null;
  readonly enforce: boolean;
  /** What is not as the policy has it. */
  readonly notes: readonly string[];
  readonly refused: readonly RefusedRecord[];
  readonly shadow: {
    readonly key: string;
    readonly revision: number;
    readonly sequence: number;
    readonly error: string | null;
  } | null;
  readonly spool: { readonly waiting: number; readonly dropped: number; readonly damaged: number };
}

/** So many decisions of a machine were dropped, which waited longest. */
export interface DroppedReport {
  readonly schema: number;
  readonly kind: 'dropped';
  readonly id: string;
  readonly host: string;
  readonly wall_ms: number;
  readonly count: number;
}

/** Any report of a machine. */
export type FleetReport = DecisionReport | PressureReport | StateReport | DroppedReport;

const areAll = <T>(value: readonly T[], is: (one: T) => boolean) => Array.isArray(value) && value.every(is);
const isOrigin = (of: OriginRecord | null) =>
  of === null || (isText(of.key) && isNumber(of.revision) && isText(of.step));
const isRefused = ({ key, revision, code, message }: RefusedRecord) =>
  isNumber(revision) && areAll([key, code, message], isText);

/** Whether what is shown of a report is there, and is what it should be. Throws TypeError for some that are not. */
const WHOLE = {
  decision: ({ id, event, policy }: DecisionReport) => isText(id) && event instanceof Object && isOrigin(policy),
  pressure: ({ level, memory }: PressureReport) =>
    isText(level) &&
    areAll([memory.total_kib, memory.available_kib, memory.swap_total_kib, memory.swap_free_kib], isNumber),
  state: ({ labels, notes, policy, refused, shadow, spool }: StateReport) =>
    areAll(labels, isText) &&
    areAll(notes, isText) &&
    isOrigin(policy) &&
    areAll(refused, isRefused) &&
    (shadow === null || shadow.error === null || isText(shadow.error)) &&
    areAll([spool.waiting, spool.dropped, spool.damaged], isNumber),
  dropped: ({ id, count }: DroppedReport) => isText(id) && Number.isSafeInteger(count) && count > 0,
};

function isReport(report: FleetReport): boolean {
  const { schema, kind, host, wall_ms: wallMs } = report;
  if (schema !== REPORT_SCHEMA || !isText(host) || !isNumber(wallMs) || !Object.hasOwn(WHOLE, kind)) return false;
  return (WHOLE[kind] as (report: FleetReport) => boolean)(report);
}

/** Reads a message; null for what is none that this badness knows. What comes from a machine is only as true as the machine. */
export function parseReport(text: string): FleetReport | null {
  try {
    const report = JSON.parse(text) as FleetReport;
    return isReport(report) ? report : null;
  } catch {
    return null;
  }
}

/** How many decisions a message says were dropped; 0 of any other message. */
export function droppedIn({ text }: { readonly text: string }): number {
  const report = parseReport(text);
  return report?.kind === 'dropped' ? report.count : 0;
}

/** Ids that were seen, the last so many: what is told twice counts once. */
export class SeenIds {
  readonly #most: number;
  readonly #ids = new Set<string>();

  constructor(most = 1_000_000) {
    this.#most = most;
  }

  /** True the first time. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > this.#most) this.#ids.delete(this.#ids.values().next().value!);
    return true;
  }
}
