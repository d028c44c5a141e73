/** Stage: none (what the page holds). Whatever was brought in becomes a story: moments, each a table of tasks on a machine. */
import type { Machine, Ranking, ScoreOptions, Task } from '../index.js';
import type { TaskTexts } from '../policy/index.js';

/** What the reader brings in. */
export type Source =
  | { readonly kind: 'text'; readonly name: string; readonly text: string }
  | { readonly kind: 'bytes'; readonly name: string; readonly bytes: Uint8Array }
  | { readonly kind: 'scenario'; readonly name: string; readonly scenario: object };

/** Memory from moment to moment, for a plot. */
export interface MemoryTrack {
  readonly timesS: readonly number[];
  readonly memoryBytes: readonly number[];
  /** On swap. */
  readonly swapBytes: readonly number[];
  readonly memoryTotalBytes: number;
  readonly swapTotalBytes: number;
}

/** Somebody who was killed in the course of a story. */
export interface Kill {
  readonly atS: number;
  readonly by: 'guard' | 'kernel' | 'parent';
  readonly tgid: number;
  readonly comm: string;
  readonly bytes: number;
  /** Whether killing it was right; null where nobody can say. */
  readonly culprit: boolean | null;
}

export interface StoryHead {
  readonly kind: 'log' | 'recording' | 'scenario' | 'tasks';
  /** One label for each moment. */
  readonly moments: readonly string[];
  /** Seconds of each moment on the axis of the track. */
  readonly momentsS: readonly number[];
  /** The moment to look at first. */
  readonly first: number;
  readonly track: MemoryTrack | null;
  readonly kills: readonly Kill[];
  /** What there is to say of the whole. */
  readonly notes: readonly string[];
  /** A policy file that came along. */
  readonly policy: string | null;
}

export interface NamedTask {
  readonly tgid: number;
  readonly comm: string;
}

export interface Fact {
  readonly label: string;
  readonly text: string;
}

/** One moment; a task's slot is its place in `tasks`. */
export interface Moment {
  readonly tasks: readonly Task[];
  readonly machine: Machine;
  /** How to rank it unless somebody says otherwise: the kernel's scheme of a report. */
  readonly options: ScoreOptions;
  readonly facts: readonly Fact[];
  /** Whom the kernel chose, and the child of it that it killed in its place. */
  readonly kernelChose: NamedTask | null;
  readonly kernelKilledChild: NamedTask | null;
}

/** What rules of a policy can know of the tasks of a moment beyond what is in the table. */
export interface Surroundings {
  readonly texts: TaskTexts;
  /** The number of a user. */
  uidOf(name: string): number | undefined;
}

export interface Story {
  readonly head: StoryHead;
  /** Of the moment that was asked for last; null where nothing is known. */
  readonly surroundings: Surroundings | null;
  moment(index: number): Moment | Promise<Moment>;
}

/** oom_score_adj by tgid, where the reader chose another. */
export type Adjustments = readonly (readonly [tgid: number, oomScoreAdj: number])[];

export type Outcome = Ranking['outcome'];
