/**
 * Stage: table → selection → kill. What a round needs of the place it happens in, so that one round serves a machine, the
 * tasks that a program registered, and a simulation.
 */
import type { AskedPlugin } from '../policy/rank-by.js';
import type { RowRules } from '../policy/row-rules.js';
import type { Outcome, ScoreOptions } from '../rank.js';
import type { SchemeName } from '../schemes.js';
import type { GroupFacts, KillReport, KillSignal } from './kill-report.js';
import type { MemoryReading } from './round-report.js';

/** Whom a round would choose, and by what. */
export interface Choice {
  outcome: Outcome;
  /** Row of the chosen task in the current snapshot, below 0 without one. */
  slot: number;
  tasks: number;
  /** What the snapshot was scored with. */
  options: ScoreOptions & { scheme: SchemeName };
  /** What changed the points of the scheme, and says so of each row. */
  rules?: RowRules | null;
  /** Whose points came before the rules, where the policy names a plug-in. */
  plugin?: AskedPlugin | null;
}

/** One task, held so that it cannot be taken for another that has its id later. */
export interface Held {
  /** tgid, or the id of a registered task. */
  readonly pid: number;
  /** Lets go of it: its descriptor is closed. */
  close(): void;
}

/** How a kill begins and how long each step may take, milliseconds. */
export interface KillAsk {
  /** What to begin with. */
  readonly signal: KillSignal;
  readonly termMs: number;
  readonly rawioMs: number;
  readonly stuckMs: number;
  /** Nobody waits any more: signals sent stay sent. */
  readonly abort: AbortSignal;
  /** Memory has become shorter meanwhile: SIGKILL now, not when its time has come. */
  readonly hurry: AbortSignal | null;
}

/** What a guard acts on: a machine, a recording, a scenario, registered tasks. The rounds know nothing else of it. */
export interface World {
  /** Of the domain, as printed at start. */
  readonly name: string;
  readonly pageSize: number;
  /** Milliseconds of the one clock that every thread reads. */
  nowMs(): number;
  /** Memory of the domain now. Throws by errno name where it cannot be read. */
  measure(): MemoryReading;
  /** Memory begins to be short: what others killed before does not count as in flight. */
  pressureBegins(): void;
  /** Memory is not short any more: the next one who is dying is waited for anew. */
  shortageEnds(): void;
  /** Fills the table with the members of the domain, scores and selects. `in-flight` too when others are killing. */
  choose(): Choice;
  /** The row of a task in the current snapshot, read in full and scored; below 0 when it is no member, or was not seen. */
  rowOf(tgid: number, choice: Choice): number;
  /** Holds the task in a row; null when it is gone, or is another by now. */
  hold(slot: number): Held | null;
  /** Holds a queued candidate by the handle that it came with. */
  holdQueued(candidate: { tgid: number; handle: number }): Held | null;
  /** Who would go along; null where it would go alone. */
  along?(held: Held): GroupFacts | null;
  /** Never rejects for what the world does. */
  kill(held: Held, ask: KillAsk): Promise<KillReport>;
  /** It was killed and did not go: as long as it lives it is dying, and nobody's victim. */
  setAside(held: Held): void;
  /** Frees what it keeps. No round may follow. */
  close(): void;
}
