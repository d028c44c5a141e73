/** Stage: none (input of a simulation). A scenario: a machine, the tasks that come and what they do, as a person writes it; every default filled in goes out. */
import { type Check, check, flag, integer, list, object, oneOf, refuse, text } from '../policy/checks.js';
import { size } from '../policy/threshold.js';
import { span } from './span.js';

/**
 * How a task's memory goes: `linear` grows until `most`; `saw-tooth` falls back to `memory` there and begins again; `step` adds
 * `growth` at once, each `every`; `peak` grows to `most`, then falls to `rest` as fast.
 */
export type Curve = 'linear' | 'saw-tooth' | 'step' | 'peak';

/** Tasks of one kind. Sizes are bytes, times milliseconds, rates a second. */
export interface Cast {
  /** 1 … 15 characters, whatever they are. */
  readonly comm: string;
  /** What rules on other files than stat and status see. Empty: its comm, and /usr/bin/comm. */
  readonly cmdline: string;
  readonly exe: string;
  readonly cgroup: string;
  readonly uid: number;
  readonly oomScoreAdj: number;
  /** comm of the kind that starts it; one that lives then is its parent, and its session theirs. Empty: nobody. */
  readonly parent: string;
  /** Ends when its parent does. */
  readonly withParent: boolean;
  /** How many, 1 … 10,000; when the first comes, and how long after it each of the others. */
  readonly count: number;
  readonly at: number;
  readonly apart: number;
  /** How long those that are there at the beginning had been running by then. */
  readonly age: number;
  /** What it takes at once, what is added each second, where that stops, and how it goes. */
  readonly memory: number;
  readonly growth: number;
  readonly most: number;
  readonly curve: Curve;
  /** Of `step`: from one step to the next. */
  readonly every: number;
  /** Of `peak`: what it falls back to. */
  readonly rest: number;
  /** Of those that are there at the beginning: as large as they get (`most`, of `peak` `rest`), and no larger from then on. */
  readonly settled: boolean;
  /** Each task's rate differs by up to so many percent, 0 … 100. */
  readonly jitterPercent: number;
  /** Pages of files that it works with: they count as available, and it is slower without them. */
  readonly cache: number;
  /** Address space that it reserves and does not use; old schemes count it. */
  readonly virtual: number;
  /** CPU time a second, in thousandths, 0 … 64,000. */
  readonly cpuPerMille: number;
  /** Has done its work, and ends, after so long at full speed; 0 never. */
  readonly ends: number;
  /** Forks one like itself so often, on the average; 0 never. */
  readonly forks: number;
  /** Members that its family has at most, 1 … 10,000. */
  readonly familyMost: number;
  /** Is started again so long after it was killed; 0 never. */
  readonly restarts: number;
  readonly onTerm: 'exit' | 'ignore';
  /** From SIGTERM, and from SIGKILL, to its end, and from then until its memory is back, per GiB. */
  readonly termTakes: number;
  readonly exitTakes: number;
  readonly releasePerGib: number;
  /** It is the trouble: killing it is right. Everybody else is an innocent. */
  readonly culprit: boolean;
}

/** A machine that does not exist, bytes. */
export interface SimMachine {
  readonly memory: number;
  readonly swap: number;
  /** What the disk moves each second: to swap, and pages of files back. */
  readonly disk: number;
  /** What the kernel and others hold that nobody can kill. */
  readonly used: number;
  /** While memory is used up everybody is so many times slower, 1 … 1,000. */
  readonly thrash: number;
}

/** Frozen. */
export interface Scenario {
  readonly name: string;
  readonly about: string;
  /** Of everything that is left to chance, 0 … 2^32 − 1. */
  readonly seed: number;
  readonly lasts: number;
  readonly machine: SimMachine;
  /** As a file has them, `[[task]]`: one for each kind. */
  readonly task: readonly Cast[];
}

/** As T; sizes may be written `4GiB`, spans `250ms`. */
type Loose<T> = { readonly [K in keyof T]?: (T[K] extends number ? number | string : T[K]) | undefined };

/** A kind of task as a scenario file says it: all but `comm` has defaults. */
export type CastInput = Loose<Cast> & { readonly comm: string };
/** A scenario as it is written. `defineScenario` checks it and fills in the defaults. */
export type ScenarioInput = Loose<Omit<Scenario, 'task' | 'machine'>> & {
  readonly machine: Loose<SimMachine> & { readonly memory: number | string };
  readonly task: readonly CastInput[];
};

const DAY_MS = 86_400_000;
const MIB = 2 ** 20;
/** Machines above this are none; sums of sizes stay exact. */
const BYTES_MOST = 2 ** 50;

/** A size, or nothing. */
const amount: Check<number> = check({ anyOf: [size.form, { const: 0 }] }, (value, path) => {
  const bytes = value === 0 ? 0 : size(value, path);
  return bytes <= BYTES_MOST ? bytes : refuse(path, 'at most 1PiB', value);
});
const some: Check<number> = check(size.form, (value, path) => {
  const bytes = size(value, path);
  return bytes >= MIB && bytes <= BYTES_MOST ? bytes : refuse(path, "a size '1MiB'..'1PiB'", value);
});
const time = span(0, DAY_MS);
const comm = text(/^[^\0]{1,15}$/, 'a name of 1..15 characters');
const parent = text(/^[^\0]{0,15}$/, 'the comm of another task');
const line = text(/^[^\0]{0,4096}$/, 'at most 4096 characters');
const path = text(/^(\/[^\0]{0,4095})?$/, 'an absolute path');

/** Every key of a task with its check and its default. */
export const castShape = {
  comm: [comm],
  cmdline: [line, ''],
  exe: [path, ''],
  cgroup: [path, '/'],
  uid: [integer(0, 2 ** 32 - 1), 1000],
  oomScoreAdj: [integer(-1000, 1000), 0],
  parent: [parent, ''],
  withParent: [flag, false],
  count: [integer(1, 10_000), 1],
  at: [time, 0],
  apart: [time, 0],
  age: [span(0, 365 * DAY_MS), 0],
  memory: [amount, 0],
  growth: [amount, 0],
  most: [amount, BYTES_MOST],
  curve: [oneOf<Curve>(['linear', 'saw-tooth', 'step', 'peak']), 'linear'],
  every: [span(5, DAY_MS), 1000],
  rest: [amount, 0],
  settled: [flag, false],
  jitterPercent: [integer(0, 100), 0],
  cache: [amount, 0],
  virtual: [amount, 0],
  cpuPerMille: [integer(0, 64_000), 10],
  ends: [time, 0],
  forks: [time, 0],
  familyMost: [integer(1, 10_000), 64],
  restarts: [time, 0],
  onTerm: [oneOf<'exit' | 'ignore'>(['exit', 'ignore']), 'exit'],
  termTakes: [time, 100],
  exitTakes: [time, 20],
  releasePerGib: [time, 70],
  culprit: [flag, false],
} as const;

export const machineShape = {
  memory: [some],
  swap: [amount, 0],
  disk: [some, 200 * MIB],
  used: [amount, 0],
  thrash: [integer(1, 1000), 4],
} as const;

const castFields = object<Cast>(castShape);
const cast: Check<Cast> = check(castFields.form, (value, path) => {
  const given = castFields(value, path);
  for (const [key, other] of [
    ['most', 'memory'],
    ['most', 'rest'],
  ] as const) {
    if (given[key] < given[other]) refuse(`${path}.${key}`, `at least ${other} (${given[other]} bytes)`, given[key]);
  }
  if (given.settled && given.most === BYTES_MOST) refuse(`${path}.most`, 'there with settled', undefined);
  return given.withParent && given.parent === '' ? refuse(`${path}.parent`, 'there with withParent', '') : given;
});

const machineFields = object<SimMachine>(machineShape);
const machine: Check<SimMachine> = check(machineFields.form, (value, path) => {
  const given = machineFields(value, path);
  return given.used < given.memory
    ? given
    : refuse(`${path}.used`, `less than memory (${given.memory} bytes)`, given.used);
});

/** Every key of a scenario with its check and its default. */
export const scenarioShape = {
  name: [text(/^[\w .-]{1,60}$/, 'a name of 1..60 letters, digits, blanks, _ . -'), 'scenario'],
  about: [text(/^[^\0]{0,2000}$/, 'at most 2000 characters'), ''],
  seed: [integer(0, 2 ** 32 - 1), 1],
  lasts: [span(5, DAY_MS), 60_000],
  machine: [machine],
  task: [list(cast, 1)],
} as const;

const scenario = object<Scenario>(scenarioShape);

const TASKS_MOST = 20_000;

/** The most tasks that there can be at one time. */
export function tasksMost({ task }: Scenario): number {
  return task.reduce((sum, { count, forks, familyMost }) => sum + count * (forks > 0 ? familyMost : 1), 0);
}

/** Checks a scenario and fills in the defaults. Throws TypeError or RangeError by the path of the key, as definePolicy does. */
export function defineScenario(input: ScenarioInput, path = 'scenario'): Scenario {
  const defined = scenario(input, path);
  const most = tasksMost(defined);
  if (most > TASKS_MOST) refuse(`${path}.task`, `at most ${TASKS_MOST} tasks at one time, forks included`, most);
  const names = defined.task.map((one) => one.comm);
  for (const [index, one] of defined.task.entries()) {
    if (one.parent === '' || names.includes(one.parent)) continue;
    refuse(`${path}.task[${index}].parent`, 'the comm of another task', one.parent);
  }
  return defined;
}
