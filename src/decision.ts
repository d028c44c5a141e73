/**
 * Stage: report. The ring of decision records: the last 64 choices as the engine wrote them, each a fixed number of bytes
 * that two runtimes can compare, and the same read into an object.
 */
import * as L from '../assembly/layout.js';
import { decodeComm } from './comm.js';
import type { Engine } from './engine.js';
import { plainPoints } from './policy/rule-verdict.js';
import { type ScoreOptions, scoreTasks, selectTask, setParameters } from './rank.js';
import { SCHEMES, type SchemeName } from './schemes.js';
import { TASK_KINDS, type TaskKind } from './task.js';

/** One task of the order that a decision was made from. */
export interface DecisionRow {
  kind: TaskKind;
  /** tgid, or the id of a registered task. */
  id: number;
  /** As rules left them. */
  points: number;
  /** What a rule put before, or after, everybody else. */
  class: 'first' | 'last' | null;
  /** 1/100 s since boot. */
  startTimeTicks: number;
}

/** A decision record as it stands in the ring of the engine: what was asked, seen and answered. */
export interface Decision {
  /** Number of the decision in this memory, from 0. */
  sequence: number;
  outcome: 'victim' | 'no-victim' | 'in-flight';
  scheme: SchemeName;
  domain: number;
  /** Tasks in the snapshot, and how many of them could be chosen. */
  tasks: number;
  eligible: number;
  hz: number;
  pageSize: number;
  uptimeS: number;
  totalPages: number;
  /** FNV-1a over everything that was read, 16 hexadecimal digits: equal for equal tables. */
  digest: string;
  /** comm of the victim, who is the first row of the order; empty without one. */
  comm: string;
  /** The worst eight, worst first. */
  order: DecisionRow[];
  /** The record itself. */
  bytes: Uint8Array<ArrayBuffer>;
}

const OUTCOMES = new Map<number, Decision['outcome']>([
  [L.E_NO_VICTIM, 'no-victim'],
  [L.E_IN_FLIGHT, 'in-flight'],
]);

/**
 * Scores and selects among the tasks of the current snapshot and keeps the record of it. One thread at a time may decide
 * on one memory. Throws RangeError for parameters out of range.
 */
export function decide(engine: Engine, options: ScoreOptions = {}): Decision {
  scoreTasks(engine, options);
  recordDecision(engine, options, selectTask(engine, options).slot);
  return decisions(engine, 1)[0]!;
}

/**
 * Keeps the record of a choice: `slot` is the row that was selected with these options, or why there is none, and the points
 * of the snapshot are those it was selected by. Answers its number.
 */
export function recordDecision(engine: Engine, options: ScoreOptions, slot: number): number {
  const points = new Float64Array(engine.memory.buffer, engine.cell(L.C_POINTS, 0, 8), engine.count);
  const eligible = points.reduce((sum, value) => (Number.isNaN(value) ? sum : sum + 1), 0);
  return engine.abi.decision_write(engine.window, setParameters(engine, options), eligible, slot);
}

/** The last decisions of this memory, newest first, `most` of them or as many as the ring still holds (64). */
export function decisions(engine: Engine, most: number = L.DECISIONS_MAX): Decision[] {
  const made = engine.view.getUint32(L.H_DECISIONS, true);
  const count = Math.min(made, most, L.DECISIONS_MAX);
  return Array.from({ length: count }, (_, back) => readRecord(engine, (made - 1 - back) % L.DECISIONS_MAX));
}

function readRecord(engine: Engine, place: number): Decision {
  const at = L.DECISIONS + place * L.DECISION_BYTES;
  const bytes = engine.bytes.slice(at, at + L.DECISION_BYTES);
  const view = new DataView(bytes.buffer);
  const u32 = (offset: number) => view.getUint32(offset, true);
  const f64 = (offset: number) => view.getFloat64(offset, true);
  const order = Array.from({ length: u32(L.R_ORDERED) }, (_, row): DecisionRow => {
    const from = L.R_ORDER + row * L.ORDER_BYTES;
    return {
      kind: TASK_KINDS[u32(from + L.ORDER_KIND)]!,
      id: u32(from + L.ORDER_ID) + u32(from + L.ORDER_ID_HI) * 2 ** 32,
      ...plainPoints(f64(from + L.ORDER_POINTS)),
      startTimeTicks: f64(from + L.ORDER_START_TICKS),
    };
  });
  return {
    sequence: u32(L.R_SEQUENCE),
    outcome: OUTCOMES.get(view.getInt32(L.R_OUTCOME, true)) ?? 'victim',
    scheme: SCHEMES[u32(L.R_SCHEME)]!,
    domain: u32(L.R_PARAMETERS + L.P_DOMAIN),
    tasks: u32(L.R_SNAPSHOT + L.S_COUNT),
    eligible: u32(L.R_ELIGIBLE),
    hz: u32(L.R_SNAPSHOT + L.S_HZ),
    pageSize: u32(L.R_SNAPSHOT + L.S_PAGE_SIZE),
    uptimeS: f64(L.R_SNAPSHOT + L.S_UPTIME_TICKS) / L.USER_HZ,
    totalPages: f64(L.R_PARAMETERS + L.P_TOTAL_PAGES),
    digest: view.getBigUint64(L.R_DIGEST, true).toString(16).padStart(16, '0'),
    comm: decodeComm(bytes.slice(L.R_COMM, L.R_COMM + L.COMM_BYTES)),
    order,
    bytes,
  };
}
