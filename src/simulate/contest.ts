/** Stage: report, of simulations. Several policies in the same scenario, with the same seeds, side by side. */
import type { Policy } from '../policy/policy.js';
import { defineScenario, type Scenario } from './scenario.js';
import { type SimResult, simulate } from './simulate.js';

/** One who plays a scenario: a policy with a name. */
export interface Contender {
  readonly name: string;
  /** Null: no guard, the kernel alone. */
  readonly policy: Policy | null;
}

/** What the runs of one contender came to: each number is the mean of its runs. */
export interface ContestRow {
  readonly name: string;
  readonly runs: readonly SimResult[];
  readonly kills: number;
  readonly culpritsKilled: number;
  readonly innocentsKilled: number;
  /** Of the run in which most were. */
  readonly innocentsMost: number;
  readonly kernelKills: number;
  readonly pressureMs: number;
  readonly stalledMs: number;
  readonly reliefMs: number;
  readonly lostCpuMs: number;
  readonly finished: number;
}

/** How often each contender plays. */
export interface ContestOptions {
  /** The first seed, 0 … 2^32 − 1. Default that of the scenario. */
  readonly seed?: number;
  /** Runs of each contender, each with the next seed, 1 … 1,000. Default 1. */
  readonly runs?: number;
}

const SEEDS = 2 ** 32;

function rowOf(name: string, runs: readonly SimResult[]): ContestRow {
  const mean = (value: (run: SimResult) => number) => runs.reduce((sum, run) => sum + value(run), 0) / runs.length;
  return {
    ...{ name, runs },
    kills: mean(({ kills }) => kills.length),
    culpritsKilled: mean((run) => run.culpritsKilled),
    innocentsKilled: mean((run) => run.innocentsKilled),
    innocentsMost: Math.max(...runs.map((run) => run.innocentsKilled)),
    kernelKills: mean((run) => run.kernelKills),
    pressureMs: mean((run) => run.pressureMs),
    stalledMs: mean((run) => run.stalledMs),
    reliefMs: mean((run) => run.reliefMs),
    lostCpuMs: mean((run) => run.lostCpuMs),
    finished: mean((run) => run.finished),
  };
}

/** Runs a scenario under every contender; rows in their order. Throws as simulate does, RangeError for numbers out of range. */
export async function contest(
  scenario: Scenario,
  contenders: readonly Contender[],
  { seed = scenario.seed, runs = 1 }: ContestOptions = {},
): Promise<ContestRow[]> {
  if (!(Number.isInteger(runs) && runs >= 1 && runs <= 1000)) throw new RangeError(`runs must be 1..1000, got ${runs}`);
  const rows: ContestRow[] = [];
  for (const { name, policy } of contenders) {
    const results: SimResult[] = [];
    for (let run = 0; run < runs; ++run) {
      results.push(await simulate(defineScenario({ ...scenario, seed: (seed + run) % SEEDS }), policy));
    }
    rows.push(rowOf(name, results));
  }
  return rows;
}
