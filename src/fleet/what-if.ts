/**
 * Stage: selection → report. What a policy would have changed on all machines of a fleet, as messages: the run, a job for each recording, and
 * what came of it in parts. Whoever does a job twice says the same twice, and it counts once.
 */
import type { Looked } from '../recording/index.js';

export const RECORDINGS_BUCKET = 'badness-recordings';
/** Streams of jobs and of what came of them. */
export const WORK_STREAM = 'badness-work';
export const RESULT_STREAM = 'badness-results';
/** The consumer that all workers share. */
export const WORKERS = 'workers';
export const WORK_SCHEMA = 1;

/** What all jobs of a run have in common. */
export interface WhatIfRun {
  readonly schema: number;
  readonly run: string;
  /** The text of a policy file; `against` null: that of each recording, else the default one. */
  readonly policy: string;
  readonly against: string | null;
  readonly all: boolean;
}

/** One recording to be evaluated. */
export interface WhatIfJob {
  readonly schema: number;
  readonly run: string;
  /** Place among the recordings of the run, from 0. */
  readonly index: number;
  /** Its name in the bucket, and what it was when the run began. */
  readonly recording: string;
  readonly digest: string;
}

/** A part of what came of a job. */
export interface ResultPart {
  readonly schema: number;
  readonly index: number;
  /** Of the whole text: parts of two results are never put together. */
  readonly digest: string;
  readonly part: number;
  readonly parts: number;
  readonly text: string;
}

/** What came of a recording of the fleet. */
export interface FleetLooked {
  readonly index: number;
  readonly recording: string;
  readonly looked: Looked;
}

export const workSubject = (run: string): string => `${WORK_STREAM}.${run}`;
export const runSubject = (run: string): string => `badness-result.${run}.run`;
export const resultSubject = (run: string): string => `badness-result.${run}.part`;

/** Letters of a part; a server takes messages of 1 MiB, and a letter may be six bytes in JSON. */
const PART_LETTERS = 160_000;

/** What came of a job as messages, each with an id of its own: the same result has the same ids. */
export function resultParts(
  { run, index }: Pick<WhatIfJob, 'run' | 'index'>,
  looked: Looked,
  digestOf: (text: string) => string,
): { readonly id: string; readonly text: string }[] {
  const whole = JSON.stringify(looked);
  const digest = digestOf(whole);
  const parts = Math.ceil(whole.length / PART_LETTERS);
  return Array.from({ length: parts }, (_, part) => {
    const text = whole.slice(part * PART_LETTERS, (part + 1) * PART_LETTERS);
    const message: ResultPart = { schema: WORK_SCHEMA, index, digest, part, parts, text };
    return { id: `${run}.${index}.${digest}.${part}`, text: JSON.stringify(message) };
  });
}

/** Puts parts together; each job counts once. */
export class ResultGatherer {
  readonly #recordings: readonly string[];
  readonly #parts = new Map<string, Map<number, string>>();
  readonly #isDone: boolean[];
  done = 0;

  /** Names of the recordings of the run, by their place. */
  constructor(recordings: readonly string[]) {
    this.#recordings = recordings;
    this.#isDone = recordings.map(() => false);
  }

  get isComplete(): boolean {
    return this.done === this.#recordings.length;
  }

  /** Takes a message; answers a result that has become whole by it, and null for anything else. */
  offer(message: string): FleetLooked | null {
    const { schema, index, digest, part, parts, text } = JSON.parse(message) as ResultPart;
    const recording = this.#recordings[index];
    if (schema !== WORK_SCHEMA || recording === undefined || this.#isDone[index]) return null;
    const key = `${index}.${digest}`;
    const known = this.#parts.get(key) ?? new Map<number, string>();
    this.#parts.set(key, known.set(part, text));
    if (known.size < parts) return null;
    this.#parts.delete(key);
    this.#isDone[index] = true;
    this.done += 1;
    const whole = Array.from({ length: parts }, (_, at) => known.get(at)).join('');
    return { index, recording, looked: JSON.parse(whole) as Looked };
  }
}

/** Hands results on in the order of their recordings, whatever the order in which they come. */
export class InOrder {
  readonly #waiting = new Map<number, FleetLooked>();
  #next = 0;

  /** Those that can go now. */
  put(result: FleetLooked): FleetLooked[] {
    this.#waiting.set(result.index, result);
    const ready: FleetLooked[] = [];
    for (let found = this.#waiting.get(this.#next); found; found = this.#waiting.get(this.#next)) {
      this.#waiting.delete(this.#next);
      this.#next += 1;
      ready.push(found);
    }
    return ready;
  }
}

/** Names a changed decision for ever: the same recording and snapshot, whoever has evaluated it. `snapshot` from 0. */
export function changeId(recording: string, snapshot: number): string {
  return `${recording}#${snapshot + 1}`;
}

/** How long it will take, ms, by what was done until now; null as long as nothing says so. */
export function timeLeftMs(done: number, total: number, elapsedMs: number): number | null {
  if (done === 0 || elapsedMs <= 0) return null;
  return (elapsedMs / done) * (total - done);
}
