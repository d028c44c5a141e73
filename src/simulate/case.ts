/** Stage: none (policy tests). A case: what is played, and what is expected of whoever guards it; checked, with every default filled in. */
import { ABSENT, type Check, check, integer, list, object, refuse, text } from '../policy/checks.js';
import { commPattern } from '../policy/patterns.js';
import { span } from './span.js';

/** What must hold of every run. A key that is left out expects nothing. Patterns are those of rules, on comm. */
export interface Expectation {
  /** The first who is killed. */
  readonly victim?: string;
  /** Everybody who is killed matches one of these. */
  readonly only?: readonly string[];
  /** Nobody who is killed matches any of these. */
  readonly never?: readonly string[];
  /** Kills at most, and at least; those of the kernel and those that follow from others count. */
  readonly kills?: number;
  readonly killsLeast?: number;
  /** Innocents killed at most. */
  readonly innocents?: number;
  /** Kills of the kernel at most. */
  readonly kernelKills?: number;
  /** From memory being short until it is not any more, at most, ms. */
  readonly within?: number;
}

/** A case of a policy test: what is played, and what must come of it. */
export interface Case {
  readonly name: string;
  /** What is played, one of the two: path of a scenario, or of a recording, from where the case file is. */
  readonly scenario?: string;
  readonly recording?: string;
  /** The first seed; absent: that of the scenario. */
  readonly seed?: number;
  /** How many seeds, 1 … 1,000. */
  readonly runs: number;
  readonly expect: Expectation;
}

const KILLS_MOST = 1_000_000;
const kills = integer(0, KILLS_MOST);
const DAY_MS = 86_400_000;

export const expectationShape = {
  victim: [commPattern, ABSENT],
  only: [list(commPattern), ABSENT],
  never: [list(commPattern, 1), ABSENT],
  kills: [kills, ABSENT],
  killsLeast: [kills, ABSENT],
  innocents: [kills, ABSENT],
  kernelKills: [kills, ABSENT],
  within: [span(0, DAY_MS), ABSENT],
} as const;

const fields = object<Expectation>(expectationShape);
const expectation: Check<Expectation> = check(fields.form, (value, path) => {
  const given = fields(value, path);
  if (Object.keys(given).length === 0)
    refuse(path, `a table with at least one of ${Object.keys(expectationShape).join(', ')}`, value);
  const { kills: most = KILLS_MOST, killsLeast: least = 0 } = given;
  return least <= most ? given : refuse(`${path}.killsLeast`, `at most kills (${most})`, least);
});

export const caseShape = {
  name: [text(/^[^\p{Cc}]{1,200}$/u, 'a name of 1..200 characters')],
  scenario: [text(/^[^\0]{1,4096}$/, 'the path of a scenario file'), ABSENT],
  recording: [text(/^[^\0]{1,4096}$/, 'the path of a recording'), ABSENT],
  seed: [integer(0, 2 ** 32 - 1), ABSENT],
  runs: [integer(1, 1000), 1],
  expect: [expectation],
} as const;

/** A recording goes one way only, nobody in it is killed, and it says of nobody whether that were right. */
const OF_SCENARIOS = ['innocents', 'kernelKills', 'within'] as const;

const caseFields = object<Case>(caseShape);
export const policyCase: Check<Case> = check(caseFields.form, (value, path) => {
  const given = caseFields(value, path);
  const { scenario, recording, seed, runs, expect } = given;
  if ((scenario === undefined) === (recording === undefined)) {
    return refuse(path, 'a table with either scenario or recording', scenario === undefined ? undefined : 'both');
  }
  if (recording === undefined) return given;
  const odd = OF_SCENARIOS.find((key) => expect[key] !== undefined);
  if (odd) return refuse(`${path}.expect.${odd}`, 'left out with recording, in which nobody is killed', expect[odd]);
  if (seed !== undefined) return refuse(`${path}.seed`, 'left out with recording', seed);
  return runs === 1 ? given : refuse(`${path}.runs`, 'left out with recording', runs);
});
