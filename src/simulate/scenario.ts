/** Stage: none (input of a simulation). A scenario: a machine, the tasks that come and what they do, as a person writes it; every default filled in goes out. */
import { type Check, check, flag, integer, list, object, oneOf, refuse, text } from '../policy/checks.js';
import { size } from '../policy/threshold.js';

/** Tasks of one kind. Bytes are integers, times milliseconds from the start, rates per second. */
export interface Cast {
  readonly comm: string;
  /** How many of them, 1 … 10,000. Default 1. */
  readonly count: number;
  /** When the first comes, and how long after it each of the others. Default 0. */
  readonly atMs: number;
  readonly apartMs: number;
  /** Memory at once, what is added each second, and where that stops. */
  readonly bytes: number;
  readonly bytesPerS: number;
  readonly mostBytes: number;
  /** Each task's rate differs by up to so many percent, 0 … 100. Default 0. */
  readonly jitterPercent: number;
  /** CPU time a second, in thousandths, 0 … 64,000. Default 10. */
  readonly cpuPerMille: number;
  /** Ends by itself after so long; 0 never. */
  readonly endsMs: number;
  /** Forks one like itself so often, on the average; 0 never. Descendants of one task are one family. */
  readonly forksMs: number;
  /** Members that a family has at most. Default 64. */
  readonly familyMost: number;
  /** Comes back so long after it was killed; 0 never. */
  readonly restartsMs: number;
  /** What SIGTERM does. Default `exit`. */
  readonly onTerm: 'exit' | 'ignore';
  /** From the signal to the end, and from then until its memory is back, per GiB. Defaults 20 and 70. */
  readonly exitMs: number;
  readonly releaseMsPerGib: number;
  readonly uid: number;
  readonly oomScoreAdj: number;
  /** How long it has been running when the scenario begins, ms. Default 0. */
  readonly ageMs: number;
  /** It is the trouble: killing it is right. Default false: it is an innocent. */
  readonly culprit: boolean;
}

export interface Scenario {
  readonly name: string;
  readonly about: string;
  /** Of everything that is left to chance, 0 … 2^32 − 1. Default 1. */
  readonly seed: number;
  readonly forMs: number;
  readonly memoryBytes: number;
  readonly swapBytes: number;
  readonly cast: readonly Cast[];
}

type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** As Scenario; sizes may be written `4GiB`. */
export type ScenarioInput = Loose<Omit<Scenario, 'cast' | 'memoryBytes' | 'swapBytes'>> & {
  readonly memoryBytes: number | string;
  readonly swapBytes?: number | string;
  readonly cast: readonly (Loose<Omit<Cast, 'bytes' | 'bytesPerS' | 'mostBytes'>> & {
    readonly bytes?: number | string;
    readonly bytesPerS?: number | string;
    readonly mostBytes?: number | string;
  })[];
};

const HOUR_MS = 3_600_000;
const YEAR_MS = 31_536_000_000;

/** A size, or nothing. */
const amount: Check<number> = check({ anyOf: [size.form, { const: 0 }] }, (value, path) =>
  value === 0 ? 0 : size(value, path),
);
const comm = text(/^[^\0/]{1,15}$/, 'a name of 1..15 characters');
const time = integer(0, 24 * HOUR_MS);

const cast = object<Cast>({
  comm: [comm],
  count: [integer(1, 10_000), 1],
  atMs: [time, 0],
  apartMs: [time, 0],
  bytes: [amount, 0],
  bytesPerS: [amount, 0],
  mostBytes: [amount, 2 ** 53],
  jitterPercent: [integer(0, 100), 0],
  cpuPerMille: [integer(0, 64_000), 10],
  endsMs: [time, 0],
  forksMs: [time, 0],
  familyMost: [integer(1, 10_000), 64],
  restartsMs: [time, 0],
  onTerm: [oneOf(['exit', 'ignore']), 'exit'],
  exitMs: [integer(0, HOUR_MS), 20],
  releaseMsPerGib: [integer(0, HOUR_MS), 70],
  uid: [integer(0, 2 ** 32 - 1), 1000],
  oomScoreAdj: [integer(-1000, 1000), 0],
  ageMs: [integer(0, YEAR_MS), 0],
  culprit: [flag, false],
});

const scenario = object<Scenario>({
  name: [text(/^[\w .-]{1,60}$/, 'a name of 1..60 letters, digits, blanks, _ . -'), 'scenario'],
  about: [text(/^[^\0]{0,500}$/, 'at most 500 characters'), ''],
  seed: [integer(0, 2 ** 32 - 1), 1],
  forMs: [integer(1, 24 * HOUR_MS), 60_000],
  memoryBytes: [size],
  swapBytes: [amount, 0],
  cast: [list(cast, 1)],
});

const TASKS_MOST = 20_000;

/** Checks a scenario and fills in the defaults. Throws TypeError or RangeError by the path of the key, as definePolicy does. */
export function defineScenario(input: ScenarioInput, path = 'scenario'): Scenario {
  const defined = scenario(input, path);
  const tasks = defined.cast.reduce((sum, { count }) => sum + count, 0);
  if (tasks > TASKS_MOST) refuse(`${path}.cast`, `at most ${TASKS_MOST} tasks in all`, tasks);
  return defined;
}
