/** Stage: bytes of /proc. The statements of one snapshot of a recording, put together. */
import type { MemoryState } from '../pressure/memory-state.js';
import { nearestWord } from '../task-keys.js';
import { type Entry, MARKS, type Mark, type SnapshotChange, type SnapshotFacts } from './recording.js';
import { textOf } from './spelling.js';
import { number, refuse, shown } from './statement.js';

const PID_MOST = 2 ** 32 - 1;
const WORDS = ['mark', 'members', 'memory', 'shares', 'tasks', 'decision', 'snapshot', 'end'];

/** Keys of `memory`, in the order in which they are written. */
export const MEMORY_KEYS: readonly [word: string, key: keyof MemoryState][] = [
  ['total_kib', 'totalKib'],
  ['available_kib', 'availableKib'],
  ['basis_kib', 'basisKib'],
  ['swap_total_kib', 'swapTotalKib'],
  ['swap_free_kib', 'swapFreeKib'],
];

/** `key value key value …` with these keys, each at most once. */
function pairs(words: readonly string[], keys: readonly string[], line: number): Map<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at < words.length; at += 2) {
    const [key, value] = [words[at]!, words[at + 1]];
    if (!keys.includes(key)) refuse(line, `expected one of ${keys.join(', ')}, got ${shown(key)}`);
    if (value === undefined || found.has(key)) refuse(line, `expected ${key} with one value`);
    found.set(key, value);
  }
  return found;
}

/** `2026-11-20T13:47:43.123Z` */
function wallOf(text: string | undefined, line: number): number {
  if (text === undefined) return Number.NaN;
  const wallMs = /^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(wallMs)) refuse(line, `wall: expected a time such as 2026-11-20T13:47:43.123Z, got ${shown(text)}`);
  return wallMs;
}

export class SnapshotBuilder {
  readonly change: SnapshotChange;
  readonly #entries = new Map<string, Entry>();
  readonly #owners = new Map<string, number>();
  readonly #gone: string[] = [];
  readonly #marks = new Map<Mark, readonly number[]>();
  readonly #shares: number[][] = [];
  readonly #facts: { -readonly [K in keyof SnapshotFacts]?: SnapshotFacts[K] } = {};

  /** `words` of the line `snapshot monotonic_ms N [boot_ms N] [wall TIME]`. */
  constructor([, ...words]: readonly string[], line: number, before: SnapshotChange | null) {
    const clocks = pairs(words, ['monotonic_ms', 'boot_ms', 'wall'], line);
    const monotonicMs = number('monotonic_ms', clocks.get('monotonic_ms'), line);
    if (before && monotonicMs < before.monotonicMs) {
      refuse(
        line,
        `monotonic_ms: expected at least that of the snapshot before, ${before.monotonicMs}, got ${monotonicMs}`,
      );
    }
    this.change = {
      monotonicMs,
      bootMs: clocks.has('boot_ms') ? number('boot_ms', clocks.get('boot_ms'), line) : monotonicMs,
      wallMs: wallOf(clocks.get('wall'), line),
      ...{ entries: this.#entries, owners: this.#owners, gone: this.#gone, facts: this.#facts },
    };
  }

  /** Refuses a path that was told of already. */
  once(path: string, line: number): void {
    if (this.#entries.has(path)) refuse(line, `expected each path once in a snapshot, got ${shown(path)} again`);
  }

  file(path: string, entry: Entry): void {
    this.#entries.set(path, entry);
  }

  owner(path: string, uid: number): void {
    this.#owners.set(path, uid);
  }

  end(path: string): void {
    this.#gone.push(path);
  }

  /** A statement that is about no path. What is indented below it goes to what this answers, if anything. */
  add([word, ...words]: readonly string[], line: number): ((bytes: string) => void) | null {
    const facts = this.#facts;
    if (word === 'mark') this.#mark(words, line);
    else if (word === 'members') facts.members = words.map((pid) => number('members', pid, line, PID_MOST));
    else if (word === 'memory') facts.memory = this.#memory(words, line);
    else if (word === 'shares') this.#share(words, line);
    else if ((word === 'tasks' || word === 'decision') && words.length === 0) {
      return (bytes) => {
        facts[word] = textOf(bytes);
      };
    } else
      refuse(line, `expected a path or a statement, got ${shown(word!)}; the nearest is ${nearestWord(word!, WORDS)}`);
    return null;
  }

  #mark([kind, ...pids]: readonly string[], line: number): void {
    if (!Object.hasOwn(MARKS, kind ?? '')) {
      refuse(line, `mark: expected one of ${Object.keys(MARKS).join(', ')}, got ${shown(kind ?? 'nothing')}`);
    }
    const numbers = pids.map((pid) => number('mark', pid, line, PID_MOST));
    this.#marks.set(kind as Mark, numbers);
    this.#facts.marks = this.#marks;
  }

  #memory(words: readonly string[], line: number): MemoryState {
    const found = pairs(
      words,
      MEMORY_KEYS.map(([word]) => word),
      line,
    );
    const values = MEMORY_KEYS.map(([word, key]) => [key, number(word, found.get(word), line)]);
    return Object.fromEntries(values) as unknown as MemoryState;
  }

  /** One group a line; the first line of a snapshot replaces those of the snapshots before. */
  #share(words: readonly string[], line: number): void {
    if (words.length > 0) this.#shares.push(words.map((pid) => number('shares', pid, line, PID_MOST)));
    this.#facts.shares = this.#shares;
  }
}
