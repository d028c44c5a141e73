/** Stage: all of them, of policy tests on recordings. Whom a policy would have killed comes of a replay; whether that is expected goes out. */
import type { Policy } from '../policy/policy.js';
import type { Case } from '../simulate/case.js';
import { type Judged, judge } from '../simulate/judge.js';
import type { CaseResult } from '../simulate/play-case.js';
import type { Recording } from './recording.js';
import { replayGuard } from './replay-guard.js';

/** Everybody whom a guard with that policy would have killed in a recording, once each, in order; times from its beginning. */
async function chosenIn(recording: Recording, policy: Policy): Promise<Judged[]> {
  const { events } = await replayGuard(recording, { policy });
  const startMs = recording.snapshots[0]?.monotonicMs ?? 0;
  const chosen = new Map<number, Judged>();
  for (const { event } of events) {
    if (event.kind !== 'round' || event.report.outcome !== 'dry' || !event.report.victim) continue;
    const { tgid, comm } = event.report.victim;
    if (!chosen.has(tgid)) chosen.set(tgid, { atMs: event.atMs - startMs, by: 'guard', tgid, comm, culprit: null });
  }
  return [...chosen.values()];
}

/** Plays a case on its recording. Nobody in it is killed, so what a kill would have changed is not seen. Rejects as replayGuard. */
export async function playRecordedCase(one: Case, recording: Recording, policy: Policy): Promise<CaseResult> {
  const kills = await chosenIn(recording, policy);
  const failures = await judge(one.expect, {
    kills,
    innocentsKilled: 0,
    kernelKills: 0,
    reliefMs: 0,
    endsShort: false,
  });
  const failed = failures.length > 0 ? { seed: null, failures } : null;
  return { name: one.name, runs: 1, failed, failedRuns: failed ? 1 : 0 };
}
