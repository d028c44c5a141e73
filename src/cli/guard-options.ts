/** Stage: all of them. What the command line asks of a guard: the flags of earlyoom with their meaning there, and our own. */
import {
  type DomainInput,
  definePolicy,
  type LooseThresholds,
  type Policy,
  parseThresholdPair,
  type ThresholdPair,
} from '../policy/index.js';
import { choice, integer, type OptionName, schemeNamed, scoreOptions, usage, type Values } from './arguments.js';

export const GUARD_OPTIONS: readonly OptionName[] = [
  ...(['memory', 'swap', 'memory-kib', 'swap-kib', 'report', 'enforce', 'json', 'domain', 'scheme'] as const),
  ...(['native', 'max-discount', 'age', 'adj', 'after', 'before', 'help'] as const),
];

/** What a guard on the command line is asked for. */
export interface GuardRequest {
  readonly policy: Policy;
  readonly json: boolean;
  /** Seconds between two lines about memory; 0 for none. */
  readonly reportS: number;
  readonly native: 'auto' | 'none' | undefined;
  /** Programs called around a kill, or none. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

const REPORT_DEFAULT_S = 3600;
const DAY_S = 86_400;

function pair(option: string, text: string | undefined, unit: 'percent' | 'kib'): ThresholdPair | undefined {
  if (text === undefined) return undefined;
  try {
    return parseThresholdPair(text, unit, option);
  } catch (error) {
    throw usage((error as Error).message);
  }
}

type At = { percent?: number; bytes?: number };

/** Percent and KiB of one bound: given both, both stand, and the lower counts. */
function both(percent: ThresholdPair | undefined, kib: ThresholdPair | undefined, level: 'term' | 'kill') {
  if (!percent && !kib) return undefined;
  return { ...(percent?.[level] as At | undefined), ...(kib?.[level] as At | undefined) } as { percent: number };
}

function thresholds(values: Values): LooseThresholds {
  const memory = [pair('-m', values.memory, 'percent'), pair('-M', values['memory-kib'], 'kib')] as const;
  const swap = [pair('-s', values.swap, 'percent'), pair('-S', values['swap-kib'], 'kib')] as const;
  return {
    term: { available: both(...memory, 'term'), swapFree: both(...swap, 'term') },
    kill: { available: both(...memory, 'kill'), swapFree: both(...swap, 'kill') },
  };
}

const DOMAIN_FORMS = "auto, system, memcg:/path, node:N or descendants:PID,BUDGET (such as 'descendants:4711,4GiB')";

/** `memcg:/a/b` and the like, as the policy writes it. */
export function domainNamed(text: string): DomainInput {
  if (text === 'auto' || text === 'system') return text;
  const [, kind, rest] = /^(memcg|node|descendants):(.+)$/s.exec(text) ?? [];
  if (kind === 'memcg') return { memcg: rest! };
  if (kind === 'node') return { numaNode: integer('--domain node:N', rest!, 0, 1023) };
  const [, pid, budget] = /^(\d+),(.+)$/.exec(rest ?? '') ?? [];
  if (kind === 'descendants' && pid) return { descendantsOf: Number(pid), budget: budget! };
  throw usage(`--domain must be ${DOMAIN_FORMS}, got ${JSON.stringify(text)}`);
}

/** A policy is refused by the path of its key; whoever typed options is told as of a wrong command line. */
function define(values: Values): Policy {
  const scheme = values.scheme?.at(-1);
  try {
    return definePolicy({
      enforce: values.enforce === true,
      domain: domainNamed(values.domain ?? 'auto'),
      thresholds: thresholds(values),
      scheme: scheme === undefined ? undefined : schemeNamed(scheme),
      parameters: scoreOptions(values),
    });
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw usage(error.message);
    throw error;
  }
}

/** Reads the options. Throws a usage error for what cannot be meant. */
export function guardRequest(values: Values): GuardRequest {
  return {
    policy: define(values),
    json: values.json === true,
    reportS: values.report === undefined ? REPORT_DEFAULT_S : integer('-r', values.report, 0, DAY_S),
    native:
      values.native === undefined ? undefined : choice<'auto' | 'none'>('--native', values.native, ['auto', 'none']),
    before: values.before,
    after: values.after,
  };
}
