/** Stage: table → selection, of one decision. What a shadow policy would have decided on the very tasks that the policy in force decided on. */
import type { Policy } from '../policy/index.js';
import { parseRecording, whatIf, withoutPlugin } from '../recording/index.js';
import type { PolicyOrigin } from './policy-keeper.js';
import type { ShadowVerdict } from './report.js';

const UNKNOWN = { changed: null, outcome: null, signal: null, victim: null };

/** `recording`: of one decision, with the policy that made it. Never rejects: a shadow that cannot be evaluated says so. */
export async function shadowVerdict(recording: string, policy: Policy, origin: PolicyOrigin): Promise<ShadowVerdict> {
  const { key, revision, sequence } = origin;
  const said = { key, revision, sequence };
  try {
    const parsed = parseRecording(recording);
    const { changes } = await whatIf(parsed, { policy: withoutPlugin(policy) });
    if (changes[0]) {
      const { outcome, signal, victim } = changes[0].new;
      const chosen = victim && { tgid: victim.tgid, comm: victim.comm, points: victim.points };
      return { ...said, error: null, changed: true, outcome, signal, victim: chosen };
    }
    // The same: what it would have done stands in the decision itself.
    return { ...said, error: null, ...UNKNOWN, changed: false };
  } catch (error) {
    return { ...said, error: (error as Error).message, ...UNKNOWN };
  }
}
