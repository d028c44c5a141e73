/** Stage: all of them, of policy tests. A case, its scenario and a policy come in; whether the policy does what is expected goes out. */
import type { Policy } from '../policy/policy.js';
import type { Case } from './case.js';
import { contest } from './contest.js';
import { type Failure, judge } from './judge.js';
import type { Scenario } from './scenario.js';

/** What came of a case. */
export interface CaseResult {
  readonly name: string;
  readonly runs: number;
  /** Of the first run that failed; null when all passed. A recording has no seed. */
  readonly failed: { readonly seed: number | null; readonly failures: readonly Failure[] } | null;
  /** How many runs failed. */
  readonly failedRuns: number;
}

/** Plays a case under a policy. Throws as simulate does. */
export async function playCase(one: Case, scenario: Scenario, policy: Policy): Promise<CaseResult> {
  const { name, runs, seed, expect } = one;
  const options = { runs, ...(seed === undefined ? {} : { seed }) };
  const [row] = await contest(scenario, [{ name, policy }], options);
  let failed: CaseResult['failed'] = null;
  let failedRuns = 0;
  for (const run of row!.runs) {
    const failures = await judge(expect, run);
    if (failures.length === 0) continue;
    failed ??= { seed: run.seed, failures };
    failedRuns += 1;
  }
  return { name, runs, failed, failedRuns };
}
