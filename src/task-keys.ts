/**
 * Stage: bytes → table, for tasks that come as JSON. The one list of a record's keys: how JSON spells each, what the
 * library calls it, and what it may hold.
 */
import type { RankedTask, ScoreOptions } from './rank.js';
import type { Machine, Task } from './task.js';

/** What a key may hold: `expected` in words for the message, and the test. */
export interface Holds {
  expected: string;
  accepts(value: unknown): boolean;
}

const U32_MAX = 4_294_967_295;
const QUANTITY_MAX = 2 ** 53;

function whole(low: number, high: number, shown = `${low}..${high}`): Holds {
  return {
    expected: `an integer ${shown}`,
    accepts: (value) => Number.isInteger(value) && (value as number) >= low && (value as number) <= high,
  };
}

function oneOf(...values: string[]): Holds {
  return { expected: `one of ${values.join(', ')}`, accepts: (value) => values.includes(value as string) };
}

function matching(expected: string, pattern: RegExp): Holds {
  return { expected, accepts: (value) => typeof value === 'string' && pattern.test(value) };
}

const id = whole(0, U32_MAX);
const quantity = whole(0, QUANTITY_MAX, '0..2^53');
const flag: Holds = { expected: 'true or false', accepts: (value) => typeof value === 'boolean' };
const text: Holds = { expected: 'a string', accepts: (value) => typeof value === 'string' };

export interface RecordKey<T> {
  json: string;
  key: keyof T;
  holds: Holds;
}

function key<T>(json: string, name: keyof T, holds: Holds): RecordKey<T> {
  return { json, key: name, holds };
}

/** Keys of a task, in the order they are written. */
export const TASK_KEYS: readonly RecordKey<Task>[] = [
  key('kind', 'kind', oneOf('process', 'registered', 'simulated')),
  key('tgid', 'tgid', id),
  key('ppid', 'ppid', id),
  key('sid', 'sid', id),
  key('comm', 'comm', text),
  key('state', 'state', matching('one letter', /^[A-Za-z]$/)),
  key('threads', 'threads', id),
  key('total_vm_pages', 'totalVmPages', quantity),
  key('rss_pages', 'rssPages', quantity),
  key('rss_anon_pages', 'rssAnonPages', quantity),
  key('rss_shmem_pages', 'rssShmemPages', quantity),
  key('stat_rss_pages', 'statRssPages', quantity),
  key('swap_pages', 'swapPages', quantity),
  key('pgtables_bytes', 'pgtablesBytes', quantity),
  key('utime_jiffies', 'utimeJiffies', quantity),
  key('stime_jiffies', 'stimeJiffies', quantity),
  key('start_time_ticks', 'startTimeTicks', quantity),
  key('nice', 'nice', whole(-20, 19)),
  key('uid', 'uid', id),
  key('euid', 'euid', id),
  key('cap_eff', 'capEff', matching('hexadecimal text of at most 16 digits', /^[0-9a-fA-F]{1,16}$/)),
  key('oom_score_adj', 'oomScoreAdj', whole(-1000, 1000)),
  key('oom_adj', 'oomAdj', whole(-17, 15)),
  key('cgroup', 'cgroup', text),
  key('has_mm', 'hasMm', flag),
  key('kthread', 'kthread', flag),
  key('exiting', 'exiting', flag),
];

/** In place of `tgid` where the kind is `registered`. */
export const REGISTERED_ID: RecordKey<Task> = key('tgid', 'tgid', quantity);

/** Keys that a ranking adds to a task. Ignored on input, so that a ranking can be ranked again. */
export const OUTPUT_KEYS = ['rank', 'points', 'eligible', 'reason', 'oom_score'] as const;

/** The member of a ranked task that each of them holds. */
export const OUTPUT_MEMBERS: Record<(typeof OUTPUT_KEYS)[number], Exclude<keyof RankedTask, 'rules'>> = {
  rank: 'rank',
  points: 'points',
  eligible: 'eligible',
  reason: 'reason',
  oom_score: 'oomScore',
};

/** Keys of a first line that say what machine the tasks are of. */
export const MACHINE_KEYS: readonly RecordKey<Machine>[] = [
  key('page_size', 'pageSize', whole(1, U32_MAX)),
  key('hz', 'hz', whole(48, 1535)),
  key('uptime_s', 'uptimeS', {
    expected: 'seconds since boot, 0 or more',
    accepts: (value) => Number.isFinite(value) && (value as number) >= 0 && (value as number) * 100 <= QUANTITY_MAX,
  }),
  key('total_pages', 'totalPages', quantity),
];

/** Keys of a first line that say how the tasks were scored. A scheme is checked where it is used. */
export const OPTION_KEYS: readonly RecordKey<ScoreOptions>[] = [
  key('scheme', 'scheme', text),
  key('max_discount', 'maxDiscount', whole(1, 2 ** 31)),
  key('age', 'age', oneOf('spare-old', 'spare-young', 'ignore')),
  key('adj', 'adj', oneOf('never-only', 'kernel')),
];

/** Keys of a first line that tell what came out. Ignored on input. */
export const SUMMARY_KEYS = ['plugin', 'outcome', 'victim', 'tasks', 'eligible', 'gone', 'unreadable', 'left'] as const;

/** Steps from one word to the other: letters put in, taken out or changed. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; ++i) {
    const next = [i];
    for (let j = 1; j <= to.length; ++j) {
      const change = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}

/** The one of `words` that a mistyped `word` is nearest to. */
export function nearestWord(word: string, words: readonly string[]): string {
  const typed = word.slice(0, 64);
  let nearest = words[0]!;
  for (const candidate of words) if (distance(typed, candidate) < distance(typed, nearest)) nearest = candidate;
  return nearest;
}
