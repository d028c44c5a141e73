/** Stage: report, of policy tests. What came of a run comes in, and what was expected; what of it does not hold goes out. */
import { compilePatterns } from '../policy/patterns.js';
import { snake } from '../policy/spelling.js';
import type { Expectation } from './case.js';
import type { SimFigures, SimKill } from './sim-figures.js';

/** Whom a policy killed, or would have killed. */
export interface Judged extends Pick<SimKill, 'atMs' | 'by' | 'tgid' | 'comm'> {
  /** Null where nobody says whether it was right. */
  readonly culprit: boolean | null;
}

/** What came. */
export interface Judgeable extends Pick<SimFigures, 'innocentsKilled' | 'kernelKills' | 'reliefMs' | 'endsShort'> {
  readonly kills: readonly Judged[];
}

/** One expectation that does not hold. */
export interface Failure {
  /** The key, as a case file has it. */
  readonly key: string;
  readonly expected: string;
  readonly got: string;
}

/** At most so many are named one by one. */
const NAMED_MOST = 3;

function nameOf({ comm, tgid, by, atMs, culprit }: Judged): string {
  const who = by === 'parent' ? 'the end of its parent' : `the ${by}`;
  const label = culprit === null ? '' : culprit ? ', guilty' : ', innocent';
  return `${comm} (${tgid}${label}) at ${(atMs / 1000).toFixed(2)} s by ${who}`;
}

function namesOf(kills: readonly Judged[]): string {
  if (kills.length === 0) return 'nobody';
  const named = kills.slice(0, NAMED_MOST).map(nameOf).join('; ');
  return kills.length > NAMED_MOST ? `${named}; and ${kills.length - NAMED_MOST} more` : named;
}

async function matcherOf(patterns: readonly string[]): Promise<(kill: Judged) => boolean> {
  const matchers = await compilePatterns(patterns, (index) => `expect[${index}]`);
  return ({ comm }) => matchers.some((matches) => matches(comm));
}

async function whoFailures({ victim, only, never }: Expectation, kills: readonly Judged[]): Promise<Failure[]> {
  const failures: Failure[] = [];
  const quoted = (patterns: readonly string[]) => patterns.join(', ');
  if (victim !== undefined) {
    const isMeant = await matcherOf([victim]);
    const [first] = kills;
    if (!first || !isMeant(first))
      failures.push({ key: 'victim', expected: `${victim} first`, got: namesOf(kills.slice(0, 1)) });
  }
  if (only !== undefined) {
    const isMeant = await matcherOf(only);
    const others = kills.filter((kill) => !isMeant(kill));
    if (others.length > 0) failures.push({ key: 'only', expected: `nobody but ${quoted(only)}`, got: namesOf(others) });
  }
  if (never !== undefined) {
    const isMeant = await matcherOf(never);
    const hit = kills.filter(isMeant);
    if (hit.length > 0) failures.push({ key: 'never', expected: `never ${quoted(never)}`, got: namesOf(hit) });
  }
  return failures;
}

function countFailures(expect: Expectation, { kills, kernelKills, innocentsKilled }: Judgeable): Failure[] {
  const innocents = kills.filter(({ culprit }) => !culprit);
  const ofKernel = kills.filter(({ by }) => by === 'kernel');
  const most: [keyof Expectation, number, string, readonly Judged[]][] = [
    ['kills', kills.length, 'kills', kills],
    ['innocents', innocentsKilled, 'innocents killed', innocents],
    ['kernelKills', kernelKills, 'kills of the kernel', ofKernel],
  ];
  const failures = most.flatMap(([key, count, what, who]): Failure[] => {
    const allowed = expect[key] as number | undefined;
    if (allowed === undefined || count <= allowed) return [];
    return [{ key: snake(key), expected: `at most ${allowed} ${what}`, got: `${count}: ${namesOf(who)}` }];
  });
  const { killsLeast = 0 } = expect;
  if (kills.length >= killsLeast) return failures;
  return [
    ...failures,
    { key: 'kills_least', expected: `at least ${killsLeast} kills`, got: `${kills.length}: ${namesOf(kills)}` },
  ];
}

/** What does not hold of a run; empty when the case passes. Rejects with RangeError for an expression that RE2 does not take. */
export async function judge(expect: Expectation, figures: Judgeable): Promise<Failure[]> {
  const failures = [...(await whoFailures(expect, figures.kills)), ...countFailures(expect, figures)];
  const { within } = expect;
  const { reliefMs, endsShort } = figures;
  if (within === undefined || (reliefMs <= within && !(endsShort && within === 0))) return failures;
  const got = `${reliefMs} ms${endsShort ? ', and still short at the end' : ''}`;
  return [...failures, { key: 'within', expected: `short for at most ${within} ms at a time`, got }];
}
