/** Stage: watch. In: a policy and a domain. Out: everything that says how short its memory is, as one source. */
import type { OomReason } from '../oom-state.js';
import type { Policy } from '../policy/policy.js';
import { type PsiRule, policySource, stallLevelsOf } from '../policy/pressure-rule.js';
import {
  type AllocationFailures,
  type AllocationGate,
  allocationFailures,
  type ReportedLevel,
  reportedLevel,
} from '../pressure/caller-sources.js';
import { type MemorySource, memorySource } from '../pressure/memory-source.js';
import { combineSources, compareLevels, type PressureSource } from '../pressure/pressure.js';
import type { LinuxDomain } from './linux-domain.js';
import { PsiSource, type PsiSourceOptions } from './psi-source.js';

export interface GuardSource {
  /** All of it. Closing it closes the reader of the domain too. */
  readonly source: PressureSource;
  /** Closes only what hangs on the policy: another source of the same domain takes over the rest. */
  retire(): void;
  readonly memory: MemorySource;
  readonly failures: AllocationFailures;
  /** What the program says. */
  readonly reported: ReportedLevel;
  /** Which of them speaks now. */
  readonly reason: () => OomReason;
  /** True when nothing can have changed since the last reading; null where only a reading tells. */
  readonly glance: (() => boolean) | null;
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
  /** Sources of the caller's own, heard as the policy says (`any`, `all`, and for how long). Closed with the rest. */
  readonly sources?: readonly PressureSource[] | undefined;
  /** Shortest and longest sleep, ms. */
  readonly leastMs?: number;
  readonly mostMs?: number;
}

/**
 * `before`: the source of another policy on this domain, whose reports from outside go on to stand; to be retired then.
 * @throws errno names when a source that the policy names cannot be read here.
 */
export function openGuardSource(
  policy: Policy,
  domain: LinuxDomain,
  options: GuardSourceOptions,
  before?: GuardSource,
): GuardSource {
  const { thresholds, pressure } = policy;
  const { polls, gate, wake, leastMs, mostMs, sources = [] } = options;
  const sleep = { ...(leastMs === undefined ? {} : { leastMs }), ...(mostMs === undefined ? {} : { mostMs }) };
  const memory = memorySource(domain.reader, { thresholds, ...sleep });
  const psi = pressure.psi ? new PsiSource(psiOptions(pressure.psi, domain), polls) : null;
  const level = policySource(memory, [...(psi ? [psi] : []), ...sources], pressure);
  const openEvents = () => {
    try {
      return domain.sources(polls, thresholds);
    } catch (error) {
      psi?.close();
      throw error;
    }
  };
  const failures = before?.failures ?? allocationFailures(gate, wake);
  const reported = before?.reported ?? reportedLevel(wake);
  const events = openEvents();
  // What the kernel or the program says happened needs no duration, and nobody to agree.
  const source = combineSources([level, ...events, failures.source, reported.source], { mode: 'any' });
  const own: PressureSource[] = [...(psi ? [psi] : []), ...events];
  const notes = own.map((one) => (one as { note?: string | null }).note).filter((note) => typeof note === 'string');
  const reason = () => reasonOf(memory, failures, reported, domain);
  const retire = () => {
    for (const one of own) one.close();
  };
  // Whatever else is asked has to be read to be known.
  const glance = level === memory && events.length === 0 ? () => memory.glance() : null;
  return { source, retire, memory, failures, reported, reason, glance, notes };
}

function reasonOf(
  memory: MemorySource,
  failures: AllocationFailures,
  reported: ReportedLevel,
  { kind }: LinuxDomain,
): OomReason {
  if (failures.source.read(0).level !== 'none') return 'allocation';
  if (compareLevels(reported.source.read(0).level, memory.level) > 0) return 'caller';
  if (compareLevels(memory.level, 'term') < 0) return 'stall';
  return kind === 'memcg' || kind === 'subtree' ? 'limit' : 'memory';
}

function psiOptions(rule: PsiRule, domain: LinuxDomain): PsiSourceOptions {
  const { trigger } = rule;
  const spec = trigger && {
    kind: rule.kind,
    stallUs: trigger.stallMs * 1000,
    windowUs: trigger.windowMs * 1000,
    level: trigger.level,
  };
  const { psiPath } = domain;
  return { ...stallLevelsOf(rule), ...(spec ? { trigger: spec } : {}), ...(psiPath ? { path: psiPath } : {}) };
}
