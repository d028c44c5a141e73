/** Stage: bytes → report. Who would die on this machine, for whoever asks from afar. Reads everything anew, in its own thread, and keeps nothing. */
import { readdirSync } from 'node:fs';
import { openEngine } from '../../engine.js';
import { viewByPolicy } from '../../linux/policy-view.js';
import { definePolicy, type PolicyInput, preview, threshold } from '../../policy/index.js';
import { withoutPlugin } from '../../recording/index.js';
import { type PreviewAsk, type PreviewFound, previewFound } from '../questions.js';

/** Tasks that begin while the others are read. */
const SLACK = 256;
const TASKS_MOST = 1 << 20;

/** By what the guard goes on by. Rejects with BadnessError `EDOMAIN`; RangeError for what no threshold is. */
export async function previewMachine(input: PolicyInput, ask: PreviewAsk): Promise<PreviewFound> {
  const policy = withoutPlugin(definePolicy(input));
  const options = {
    ...{ available: threshold(ask.available, 'available'), most: Math.min(Math.max(Math.floor(ask.most), 1), 100) },
    ...(ask.swap_free === null ? {} : { swapFree: threshold(ask.swap_free, 'swap_free') }),
  };
  const processes = readdirSync('/proc').filter((name) => /^\d/.test(name)).length;
  const engine = await openEngine({ maxTasks: Math.min(processes + SLACK, TASKS_MOST) });
  const { domain, memory, rules, shares, rootTgid } = await viewByPolicy(engine, policy);
  const root = rootTgid === undefined ? {} : { rootTgid };
  return previewFound(domain, policy, memory, preview(engine, { ...options, policy, memory, rules, shares, ...root }));
}
