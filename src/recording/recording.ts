/**
 * Stage: bytes of /proc. What a recording holds: facts of its machine, and snapshots of its files, each with what has changed
 * since the one before. docs/recordings.md has the form in which it is written.
 */
import * as L from '../../assembly/layout.js';
import type { MemoryState } from '../pressure/memory-state.js';

/** The form that is written, and the newest one that is read. */
export const RECORDING_VERSION = 1;
export const FIRST_WORD = 'badness-recording';

/** What is known of one path. Bytes and targets are byte strings: a character a byte. */
export type Entry =
  | { readonly kind: 'file'; readonly bytes: string }
  | { readonly kind: 'link'; readonly target: string }
  /** Reading it fails so: an errno name. */
  | { readonly kind: 'error'; readonly code: string };

/** What was short of memory, or could have been. */
export type RecordedDomain =
  | { readonly kind: 'system' }
  | { readonly kind: 'memcg'; readonly version: 1 | 2; readonly dir: string }
  /** Somebody measured it (`memory`); its name, and the root of a family that it is, else 0. */
  | { readonly kind: 'measured'; readonly name: string; readonly rootTgid: number };

/** What the head of a recording says of the machine. */
export interface RecordingFacts {
  /** Program and version; null where nobody said. */
  readonly madeBy: string | null;
  readonly kernel: string | null;
  /** Bytes. Default 4096. */
  readonly pageSize: number;
  readonly domain: RecordedDomain;
  /** What was replaced by other words; empty when nothing was. */
  readonly redacted: readonly string[];
  /** Numbers of the users that the rules of its policy name. */
  readonly users: ReadonlyMap<string, number>;
  /** A policy file that goes with it, as TOML; null for none. */
  readonly policy: string | null;
}

/** The facts of a recording whose head says nothing. */
export const FACTS_DEFAULT: RecordingFacts = Object.freeze({
  madeBy: null,
  kernel: null,
  pageSize: 4096,
  domain: { kind: 'system' } as const,
  redacted: [],
  users: new Map<string, number>(),
  policy: null,
});

/** What files of a task do not tell, and the flag that says it to the engine. `partial`: only its size was read; no flag. */
export const MARKS = {
  self: L.TASK_SELF,
  protected: L.TASK_PROTECTED,
  outside: L.TASK_OUTSIDE,
  dying: L.TASK_MEMDIE,
  vfork: L.TASK_VFORK,
  swapoff: L.TASK_ORIGIN,
  'same-mm': L.TASK_SAME_MM,
  'mems-disjoint': L.TASK_MEMS_DISJOINT,
  partial: 0,
} as const;

/** What a snapshot says of a task that no file tells. */
export type Mark = keyof typeof MARKS;

/** Of marks, members and shares, what was said last stands until it is said again; the rest is of one moment. */
export interface SnapshotFacts {
  /** Pids by mark. */
  readonly marks: ReadonlyMap<Mark, readonly number[]>;
  /** Pids of the members of the domain; null where everybody is one. */
  readonly members: readonly number[] | null;
  /** Memory of the domain as it was measured; null where files tell. */
  readonly memory: MemoryState | null;
  /** Pids that share an address space, a group each; null where nobody looked. */
  readonly shares: readonly (readonly number[])[] | null;
  /** Task records (NDJSON) in place of files; null where there are files. */
  readonly tasks: string | null;
  /** What a guard decided here: the JSON of its report; null for none. */
  readonly decision: string | null;
}

/** A snapshot that says nothing but files. */
export const SNAPSHOT_FACTS_DEFAULT: SnapshotFacts = Object.freeze({
  marks: new Map<Mark, readonly number[]>(),
  members: null,
  memory: null,
  shares: null,
  tasks: null,
  decision: null,
});

/** The clocks of a machine at one moment, ms. */
export interface Moment {
  /** CLOCK_MONOTONIC; from one snapshot to the next it never falls. */
  readonly monotonicMs: number;
  /** CLOCK_BOOTTIME, which goes on while the machine is suspended. */
  readonly bootMs: number;
  /** Since 1970, UTC; NaN where nobody said. */
  readonly wallMs: number;
}

/** What one snapshot adds to the one before. */
export interface SnapshotChange extends Moment {
  /** By path; a task's before those of the tasks below it. */
  readonly entries: ReadonlyMap<string, Entry>;
  /** Numbers of the users who own folders. */
  readonly owners: ReadonlyMap<string, number>;
  /** Paths that are no more, with all below them. */
  readonly gone: readonly string[];
  readonly facts: Partial<SnapshotFacts>;
}

/** As a guard calls the domain of a recording. */
export function domainName({ facts: { domain } }: Recording): string {
  if (domain.kind === 'system') return 'system';
  return domain.kind === 'memcg' ? `memcg ${domain.dir}` : domain.name;
}

/** A machine over time. */
export interface Recording {
  readonly facts: RecordingFacts;
  /** At least one, in order of time. */
  readonly snapshots: readonly SnapshotChange[];
  /** False when its last line is missing: it was cut off, and the last snapshot may not be whole. */
  readonly isComplete: boolean;
}

/** Moments of the snapshots of a recording, in ms since its first. */
export function momentsOf({ snapshots }: Recording): number[] {
  const first = snapshots[0]!.monotonicMs;
  return snapshots.map(({ monotonicMs }) => monotonicMs - first);
}
