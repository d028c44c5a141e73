/** Stage: bytes → table. This machine as a policy sees it: the tasks of its domain with whom it never chooses, its memory, who shares. */
import type { Engine } from '../engine.js';
import type { Policy } from '../policy/policy.js';
import type { RowRules } from '../policy/row-rules.js';
import type { MemoryState } from '../pressure/memory-state.js';
import { exemptOwnAnd } from './exempt.js';
import { loadNative } from './native.js';
import { openLinuxDomain } from './open-domain.js';
import { type Reading, readTasks } from './read-all.js';
import { openRules } from './rules.js';
import { sharedMemory } from './shared-memory.js';

/** What a policy sees of this machine at one moment. */
export interface PolicyView {
  /** As printed: `system`, `memcg /a/b`. */
  readonly domain: string;
  readonly memory: MemoryState;
  readonly reading: Reading;
  /** Null when there are none. */
  readonly rules: RowRules | null;
  /** Pids that share memory, a group each; null where the kernel does not tell. */
  readonly shares: readonly (readonly number[])[] | null;
  readonly rootTgid: number | undefined;
  /** What is not as the policy asks for, in words. */
  readonly notes: readonly string[];
}

/**
 * Reads everybody in full into a new snapshot, once; looks only. This process is left out, its ancestors are not chosen.
 * Rejects with BadnessError `EDOMAIN`, `ENOTLINUX`; errno names.
 */
export async function viewByPolicy(
  engine: Engine,
  policy: Policy,
  { native: how }: { readonly native?: 'auto' | 'none' | undefined } = {},
): Promise<PolicyView> {
  const { native } = await loadNative(how ? { native: how } : {});
  const { rules: written, never } = policy;
  const { domain } = openLinuxDomain(policy.domain, { for: 'daemon', native });
  try {
    const { rules, unknownUsers } = await openRules(engine, written);
    const own = exemptOwnAnd(never);
    const { members } = domain;
    const reading = readTasks(engine, {
      except: process.pid,
      exempt: (staged) => own(staged) | (domain.exempt?.(staged) ?? 0),
      ...(members ? { members } : {}),
    });
    return {
      domain: domain.name,
      memory: domain.reader.read(),
      ...{ reading, rules },
      shares: sharedMemory(engine, native),
      rootTgid: domain.rootTgid,
      notes: unknownUsers.map((name) => `no user is called ${name}: its rules match nobody`),
    };
  } finally {
    domain.close();
  }
}
