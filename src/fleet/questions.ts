/**
 * Stage: report. Questions to all machines at once, as messages: who would die there if memory fell so low. A machine is asked by its own
 * subject and answers into a reply of its own, so that no machine can answer for another.
 */

import type { Policy, Preview } from '../policy/index.js';
import {
  availablePercent,
  levelOf,
  type MemoryState,
  PRESSURE_LEVELS,
  type PressureLevel,
} from '../pressure/memory-state.js';
import { tokenOf } from './names.js';
import { isNumber, isText } from './plain-kinds.js';

export const QUESTION_SCHEMA = 1;

/** Where a machine is asked. */
export const askSubject = (host: string): string => `badness-ask.${tokenOf(host)}.preview`;

/** The question, as a message. */
export interface PreviewAsk {
  readonly schema: number;
  readonly kind: 'preview';
  /** A threshold as text: `5%`, `512MiB`. `swap_free` null: none is free then. */
  readonly available: string;
  readonly swap_free: string | null;
  /** Deaths at most. */
  readonly most: number;
}

/** One who would go. */
export interface PreviewedVictim {
  readonly pid: number;
  readonly comm: string;
  readonly points: number | null;
  readonly signal: string;
  readonly back_kib: number;
}

/** Memory of a domain, as in all JSON output. */
export interface MemoryRecord {
  readonly total_kib: number;
  readonly available_kib: number;
  readonly available_percent: number;
  readonly swap_total_kib: number;
  readonly swap_free_kib: number;
}

/** What a machine found. */
export interface PreviewFound {
  readonly domain: string;
  readonly scheme: string;
  /** Memory as it is, and how short that is. */
  readonly now: MemoryRecord;
  readonly level: string;
  /** Memory as it was asked about, and how short that is. */
  readonly start: MemoryRecord;
  readonly start_level: string;
  readonly kills: readonly PreviewedVictim[];
  readonly end: Preview['end'];
}

/** The answer, as a message: either of `found` and `error` is null. */
export interface PreviewAnswer {
  readonly schema: number;
  readonly kind: 'preview';
  readonly host: string;
  readonly found: PreviewFound | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

const VICTIMS_MOST = 100;

function memoryRecord(state: MemoryState): MemoryRecord {
  return {
    ...{ total_kib: state.totalKib, available_kib: state.availableKib },
    available_percent: Math.round(Math.min(availablePercent(state), 100) * 10) / 10,
    ...{ swap_total_kib: state.swapTotalKib, swap_free_kib: state.swapFreeKib },
  };
}

/** A preview as a machine tells it. `now`: memory before it fell. */
export function previewFound(domain: string, policy: Policy, now: MemoryState, preview: Preview): PreviewFound {
  const { start, level, kills, end } = preview;
  return {
    ...{ domain, scheme: String(policy.scheme), now: memoryRecord(now), level: levelOf(now, policy.thresholds) },
    ...{ start: memoryRecord(start), start_level: level, end },
    kills: kills.slice(0, VICTIMS_MOST).map(({ task, signal, backKib }) => ({
      ...{ pid: task.tgid, comm: task.comm, points: task.points, signal, back_kib: backKib },
    })),
  };
}

function parse<T extends PreviewAsk | PreviewAnswer>(text: string): T | null {
  try {
    const message = JSON.parse(text) as T | null;
    return message?.schema === QUESTION_SCHEMA && message.kind === 'preview' ? message : null;
  } catch {
    return null;
  }
}

/** Null for what this badness does not understand. */
export function parseAsk(text: string): PreviewAsk | null {
  const ask = parse<PreviewAsk>(text);
  if (ask === null || !isNumber(ask.most) || !isText(ask.available)) return null;
  return ask.swap_free === null || isText(ask.swap_free) ? ask : null;
}

const isMemory = (memory: MemoryRecord | null) => isNumber(memory?.available_percent);
const isVictim = (victim: PreviewedVictim | null) =>
  victim !== null &&
  [victim.pid, victim.back_kib, victim.points ?? 0].every(isNumber) &&
  [victim.comm, victim.signal].every(isText);

/** What is shown of it is there, and is what it should be. */
function isFound({ now, start, level, start_level: startLevel, kills, end }: PreviewFound): boolean {
  if (!isMemory(now) || !isMemory(start) || ![level, startLevel, end].every(isText)) return false;
  return Array.isArray(kills) && kills.every(isVictim);
}

/** Either of both. */
function isAnswer({ found, error }: PreviewAnswer): boolean {
  if (found === null) return isText(error?.code) && isText(error?.message);
  return found !== undefined && error === null && isFound(found);
}

/** The answer of that machine; null for anything else. What a machine says is only as true as the machine. */
export function parseAnswer(text: string, host: string): PreviewAnswer | null {
  const answer = parse<PreviewAnswer>(text);
  return answer?.host === host && isAnswer(answer) ? answer : null;
}

const WAITING_MOST = 4;

/** A machine's end: one question after the other, a few that wait, and no more. */
export class Answering {
  readonly #host: string;
  readonly #preview: (ask: PreviewAsk) => Promise<PreviewFound>;
  #waiting = 0;
  #working: Promise<unknown> = Promise.resolve();

  constructor(host: string, preview: (ask: PreviewAsk) => Promise<PreviewFound>) {
    this.#host = host;
    this.#preview = preview;
  }

  /** The text of the answer; null to say nothing. Never rejects. */
  async answer(question: string): Promise<string | null> {
    const ask = parseAsk(question);
    if (ask === null) return null;
    if (this.#waiting >= WAITING_MOST) {
      return this.#told(null, { code: 'EBUSY', message: `${WAITING_MOST} questions wait already` });
    }
    this.#waiting += 1;
    const found = this.#working.then(() => this.#preview(ask));
    this.#working = found.catch(() => {});
    try {
      return this.#told(await found, null);
    } catch (error) {
      const { code = 'EIO', message } = error as { code?: string; message: string };
      return this.#told(null, { code, message });
    } finally {
      this.#waiting -= 1;
    }
  }

  #told(found: PreviewFound | null, error: PreviewAnswer['error']): string {
    const answer: PreviewAnswer = { schema: QUESTION_SCHEMA, kind: 'preview', host: this.#host, found, error };
    return JSON.stringify(answer);
  }
}

/** What came of a question to many. */
export interface Gathered {
  readonly answers: readonly PreviewAnswer[];
  /** Who said nothing until the deadline. */
  readonly silent: readonly string[];
}

/** Of what machines said, one each, in the order of their names; null: nothing came. */
export function gather(replies: readonly { readonly host: string; readonly text: string | null }[]): Gathered {
  const sorted = [...replies].sort((a, b) => (a.host < b.host ? -1 : 1));
  const read = sorted.map(({ host, text }) => ({ host, answer: text === null ? null : parseAnswer(text, host) }));
  return {
    answers: read.flatMap(({ answer }) => answer ?? []),
    silent: read.flatMap(({ host, answer }) => (answer === null ? [host] : [])),
  };
}

/** Machines by pressure: the level first, then what share is available; those that could not say come last. */
export function byPressure(answers: readonly PreviewAnswer[]): PreviewAnswer[] {
  const rank = ({ found }: PreviewAnswer) =>
    found === null ? -1 : PRESSURE_LEVELS.indexOf(found.level as PressureLevel);
  const percent = ({ found }: PreviewAnswer) => found?.now.available_percent ?? 0;
  return [...answers].sort((a, b) => rank(b) - rank(a) || percent(a) - percent(b) || (a.host < b.host ? -1 : 1));
}
