/** The one suite of all runtimes. Whoever loads it has put the files into `badnessFiles` before. */

import { collectSuites } from 'suites';
import { type EngineBuild, openEngine } from '../../src/index.js';
import { tryFeatures } from './features.js';
import { type RecordAsk, recordsOf } from './records.js';
import { runCollected, type TestResult } from './test-runner.js';

export interface SuiteRun {
  /** Whether threads can share memory here, and so whether both builds were tried. */
  readonly shared: boolean;
  readonly tests: TestResult[];
  /** By build, one decision record an ask, as hexadecimal digits. */
  readonly records: Record<string, string[]>;
  readonly features: Record<string, string | null>;
}

/** Browsers hand out shared memory to pages that are isolated from other origins only. */
const shared = typeof SharedArrayBuffer === 'function';

const TASKS_MAX = 256;

async function recordsBy(build: EngineBuild, asks: readonly RecordAsk[]): Promise<string[]> {
  return recordsOf(await openEngine({ build, maxTasks: TASKS_MAX }), asks);
}

export async function runSuite(asks: readonly RecordAsk[]): Promise<SuiteRun> {
  await collectSuites();
  const tests = await runCollected();
  const records: Record<string, string[]> = { baseline: await recordsBy('baseline', asks) };
  if (shared) records.shared = await recordsBy('shared', asks);
  return { shared, tests, records, features: await tryFeatures() };
}
