/** Stage: watch. In: a policy and a domain. Out: everything that says how short its memory is, as one source. */
import type { OomReason } from '../oom-state.js';
import type { Policy } from '../policy/policy.js';
import type { PsiRule } from '../policy/pressure-rule.js';
import { type AllocationFailures, type AllocationGate, allocationFailures } from '../pressure/caller-sources.js';
import { type MemorySource, memorySource } from '../pressure/memory-source.js';
import { combineSources, compareLevels, type PressureSource } from '../pressure/pressure.js';
import type { LinuxDomain } from './linux-domain.js';
import { PsiSource, type PsiSourceOptions } from './psi-source.js';

export interface GuardSource {
  /** All of it. Closing it closes the reader of the domain too. */
  readonly source: PressureSource;
  readonly memory: MemorySource;
  readonly failures: AllocationFailures;
  /** Which of them speaks now. */
  readonly reason: () => OomReason;
  /** What is not as it was asked for, in words. */
  readonly notes: readonly string[];
}

export interface GuardSourceOptions {
  /** Somebody waits with poll(2). */
  readonly polls: boolean;
  /** The gate of the domain: asked once a failed allocation that the caller reports. */
  readonly gate: AllocationGate;
  /** Ends the wait under way. */
  readonly wake: () => void;
  /** Shortest and longest sleep, ms. */
  readonly leastMs?: number;
  readonly mostMs?: number;
}

/** @throws errno names when a source that the policy names cannot be read here. */
export function openGuardSource(policy: Policy, domain: LinuxDomain, options: GuardSourceOptions): GuardSource {
  const { thresholds, pressure } = policy;
  const { polls, gate, wake, leastMs, mostMs } = options;
  const sleep = { ...(leastMs === undefined ? {} : { leastMs }), ...(mostMs === undefined ? {} : { mostMs }) };
  const memory = memorySource(domain.reader, { thresholds, ...sleep });
  const psi = pressure.psi ? new PsiSource(psiOptions(pressure.psi, domain), polls) : null;
  const asked = psi ? [memory, psi] : [memory];
  const level = asked.length > 1 || pressure.forMs > 0 ? combineSources(asked, pressure) : memory;
  const failures = allocationFailures(gate, wake);
  const events = domain.sources(polls);
  // What the kernel or the program says happened needs no duration, and nobody to agree.
  const source = combineSources([level, ...events, failures.source], { mode: 'any' });
  const notes = [psi, ...events].map((one) => (one as { note?: string | null } | null)?.note);
  const reason = () => reasonOf(memory, failures, domain);
  return { source, memory, failures, reason, notes: notes.filter((note) => typeof note === 'string') };
}

function reasonOf(memory: MemorySource, { source }: AllocationFailures, { kind }: LinuxDomain): OomReason {
  if (source.read(0).level !== 'none') return 'allocation';
  if (compareLevels(memory.level, 'term') < 0) return 'stall';
  return kind === 'memcg' || kind === 'subtree' ? 'limit' : 'memory';
}

function psiOptions({ kind, average, trigger, ...levels }: PsiRule, domain: LinuxDomain): PsiSourceOptions {
  const percent = Object.fromEntries(Object.entries(levels).filter(([, value]) => value !== null));
  const spec = trigger && {
    kind,
    stallUs: trigger.stallMs * 1000,
    windowUs: trigger.windowMs * 1000,
    level: trigger.level,
  };
  const { psiPath } = domain;
  return { kind, average, percent, ...(spec ? { trigger: spec } : {}), ...(psiPath ? { path: psiPath } : {}) };
}
