/**
 * Stage: selection → token → kill → report. One round of the system domain by hand, as sysrq-f asks the kernel for one. The
 * gate is not asked and no threshold is looked at but the caller's own: somebody asked.
 */
import { isDomainOpen, openDomain } from '../domains.js';
import type { Engine } from '../engine.js';
import { NotifierChain } from '../guard/notifier-chain.js';
import { Panic } from '../guard/panic.js';
import { refuseModules } from '../guard/refuse-modules.js';
import type { RoundReport } from '../guard/round-report.js';
import { Rounds } from '../guard/rounds.js';
import type { Policy } from '../policy/policy.js';
import type { CandidateQueue } from '../queue.js';
import { systemDomain } from './linux-domain.js';
import { LinuxWorld } from './linux-world.js';
import { requireProc } from './machine.js';
import { linuxPanicActions } from './panic.js';
import { openRules } from './rules.js';

/** How one round by hand chooses and kills. Without `enforce` in the policy nobody is signalled. */
export interface KillRoundOptions {
  policy: Policy;
  /** Candidates that come before the scheme's own choice (openQueue). Those that may not be chosen are passed over. */
  queue?: CandidateQueue;
  /** `none` does without koffi. */
  native?: 'auto' | 'none';
  /** Begin with SIGKILL instead of SIGTERM. */
  signal?: 'SIGTERM' | 'SIGKILL';
  /**
   * Call the kill off when so much is available: asked once the token is held, as the kernel tries the allocation once
   * more, and again right before the first signal. Bytes; without it nothing calls it off.
   */
  enoughBytes?: number;
}

const SYSTEM = 0;

/**
 * Carries out one round. Nobody is signalled unless `policy.enforce` is true. Never rejects for what the world does;
 * rejects with TypeError or RangeError for a policy that cannot be used here, BadnessError `ENOTLINUX` without /proc.
 */
export async function killRound(engine: Engine, options: KillRoundOptions): Promise<RoundReport> {
  const { policy, queue, native, signal = 'SIGTERM', enoughBytes } = options;
  if (policy.domain !== 'system' && policy.domain !== 'auto') {
    throw new RangeError("policy.domain must be 'system' or 'auto' here");
  }
  refuseModules(policy);
  requireProc();
  if (!isDomainOpen(engine.view, SYSTEM)) openDomain(engine, { kind: 'system' });
  const { rules } = await openRules(engine, policy.rules);
  const domain = systemDomain();
  const world = new LinuxWorld(engine, policy, domain, { native, rules });
  try {
    const rounds = new Rounds({
      engine,
      world,
      policy,
      domain: SYSTEM,
      chain: new NotifierChain({ limits: policy.limits }),
      panic: new Panic({ plan: policy.panic, actions: linuxPanicActions() }),
      ...(queue ? { queue } : {}),
    });
    // Reading memory costs system calls while it is short: only for those who want to know.
    const isOver = enoughBytes === undefined ? {} : { isOver: () => world.measure().availableBytes >= enoughBytes };
    return await rounds.run({ signal, ...isOver });
  } finally {
    world.close();
    domain.close();
  }
}
