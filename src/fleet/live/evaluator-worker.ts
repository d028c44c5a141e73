/** Stage: bytes → selection. A thread of a fleet's worker: looks at recordings by two policies, and does nothing else. */
import { parentPort } from 'node:worker_threads';
import { type Policy, parsePolicy } from '../../policy/index.js';
import { badOne, RecordingLooker } from '../../recording/index.js';
import type { Evaluate } from './evaluator.js';

const port = parentPort!;
const looker = new RecordingLooker();
/** Of the last few runs: jobs of one come one after the other. */
const parsed = new Map<string, Policy>();
const PARSED_MOST = 4;

/** The policy of a file that a machine is guarded by. */
async function policyIn(text: string): Promise<Policy> {
  const known = parsed.get(text);
  if (known) return known;
  const { policies } = await parsePolicy(text, 'the policy of the run');
  const policy = policies.find(({ domain }) => domain === 'system' || domain === 'auto') ?? policies[0]!;
  if (parsed.size >= PARSED_MOST) parsed.clear();
  parsed.set(text, policy);
  return policy;
}

async function evaluate({ bytes, policy, against, all }: Evaluate) {
  const old = against === null ? null : await policyIn(against);
  return looker.look(bytes, { policy: await policyIn(policy), against: old, all });
}

port.on('message', async (ask: Evaluate) => {
  port.postMessage(await evaluate(ask).catch(badOne));
});
