/** Stage: all of them. What the command line asks of a guard: the flags of earlyoom with their meaning there, and our own. */
import {
  compileRules,
  type DomainInput,
  type DomainSpec,
  definePolicy,
  type FleetSettings,
  flagRules,
  type LooseThresholds,
  type Policy,
  type PolicyFile,
  type PolicyInput,
  parsePolicy,
  parseThresholdPair,
  showSize,
  type ThresholdPair,
} from '../policy/index.js';
import { integer, nativeOf, scoreOptions, usage } from './arguments.js';
import { schemeOrPlugin } from './lens.js';
import type { Values } from './options.js';
import { openPolicyFile } from './policy.js';

/** Where the guard listens: what the options leave open is what the file says. */
function controlOptions(values: Values, { control: { socket, group, selfProtect, mode } }: PolicyFile): ControlValues {
  const place = socket === 'off' ? 'none' : socket === 'auto' ? undefined : socket;
  const [path, owner] = [values.control ?? place, values['control-group'] ?? group ?? undefined];
  return {
    ...(path === undefined ? {} : { control: path }),
    ...(owner === undefined ? {} : { 'control-group': owner }),
    'control-self': values['control-self'] === true || selfProtect,
    // Only one that was written: by itself the socket is opened to a group that may use it.
    ...(mode === CLOSED ? {} : { mode: Number.parseInt(mode, 8) }),
  };
}

/** The options that the control socket is opened by. */
export type ControlValues = Pick<Values, 'control' | 'control-group' | 'control-self'> & { readonly mode?: number };

/** What a policy file says when it says nothing. */
const CLOSED = '0600';

/** The fleet that a guard belongs to, and what the machine's own file says of its domain. */
export interface FleetRequest {
  readonly settings: FleetSettings;
  readonly input: PolicyInput;
}

/** What a guard on the command line is asked for. */
export interface GuardRequest {
  readonly policy: Policy;
  /** Null without a fleet. */
  readonly fleet: FleetRequest | null;
  readonly control: ControlValues;
  readonly json: boolean;
  /** Seconds between two lines about memory; 0 for none. */
  readonly reportS: number;
  readonly native: 'auto' | 'none' | undefined;
  /** Who is in the process group of a victim goes with it. */
  readonly processGroup: boolean;
  /** How many decisions are kept whole. */
  readonly decisions: { readonly most?: number };
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

/** What the flags say goes over what a file says; a warning that a file set for other thresholds goes with them. */
function thresholds(values: Values, base: Partial<LooseThresholds> = {}): LooseThresholds {
  const memory = [pair('-m', values.memory, 'percent'), pair('-M', values['memory-kib'], 'kib')] as const;
  const swap = [pair('-s', values.swap, 'percent'), pair('-S', values['swap-kib'], 'kib')] as const;
  const level = (name: 'term' | 'kill') => ({
    available: both(...memory, name) ?? base[name]?.available,
    swapFree: both(...swap, name) ?? base[name]?.swapFree,
  });
  const isOther = memory.some((one) => one !== undefined);
  return { ...(isOther ? {} : { warn: base.warn }), term: level('term'), kill: level('kill') };
}

/** The policy for the domain that is meant; a file of one domain means that one. */
function policyFor({ policies }: PolicyFile, { policy: path, domain }: Values): PolicyInput {
  if (policies.length === 1) return policies[0]!;
  const meant = domain === undefined ? undefined : JSON.stringify(domainNamed(domain));
  const found = policies.find((one) => JSON.stringify(one.domain) === meant);
  if (found) return found;
  const there = policies.map((one) => domainText(one.domain)).join(', ');
  const asked = domain === undefined ? 'nothing' : JSON.stringify(domain);
  throw usage(
    `--domain must name one of the domains of ${path} (${there}), got ${asked}; a guard watches one: start another for each`,
  );
}

/** A domain as the option has it. Registered tasks are guarded by their own program alone. */
function domainText(domain: DomainSpec): string {
  if (typeof domain === 'string') return domain;
  if ('memcg' in domain) return `memcg:${domain.memcg}`;
  if ('numaNode' in domain) return `node:${domain.numaNode}`;
  if ('descendantsOf' in domain) return `descendants:${domain.descendantsOf},${showSize(domain.budget)}`;
  return `registered ${domain.registered}, which is for guardRegistered`;
}

const DOMAIN_FORMS = "auto, system, memcg:/path, node:N or descendants:PID,BUDGET (such as 'descendants:4711,4GiB')";

/** `memcg:/a/b` and the like, as a policy has it. */
export function domainNamed(text: string): DomainSpec {
  const domain = domainWritten(text);
  try {
    return definePolicy({ domain }).domain;
  } catch (error) {
    throw usage((error as Error).message);
  }
}

function domainWritten(text: string): DomainInput {
  if (text === 'auto' || text === 'system') return text;
  const [, kind, rest] = /^(memcg|node|descendants):(.+)$/s.exec(text) ?? [];
  if (kind === 'memcg') return { memcg: rest! };
  if (kind === 'node') return { numaNode: integer('--domain node:N', rest!, 0, 1023) };
  const [, pid, budget] = /^(\d+),(.+)$/.exec(rest ?? '') ?? [];
  if (kind === 'descendants' && pid) return { descendantsOf: Number(pid), budget: budget! };
  throw usage(`--domain must be ${DOMAIN_FORMS}, got ${JSON.stringify(text)}`);
}

/** What is no expression is said now, by its option, not when memory is short. */
async function checkExpressions(values: Values): Promise<void> {
  for (const name of ['ignore', 'avoid', 'prefer'] as const) {
    try {
      await compileRules(definePolicy({ rules: flagRules({ [name]: values[name] }) }).rules);
    } catch (error) {
      const [what] = (error as Error).message.replace('policy.rules[0].comm', `--${name}`).split(', got ');
      throw usage(`${what}, got ${JSON.stringify(values[name])}`);
    }
  }
}

/** A policy is refused by the path of its key; whoever typed options is told as of a wrong command line. */
export async function guardPolicy(values: Values, base: PolicyInput): Promise<Policy> {
  const { scheme } = values;
  await checkExpressions(values);
  try {
    return definePolicy({
      ...base,
      enforce: values.enforce === true || base.enforce === true,
      domain: values.domain === undefined ? (base.domain ?? 'auto') : domainNamed(values.domain),
      thresholds: thresholds(values, base.thresholds),
      scheme: scheme === undefined ? base.scheme : schemeOrPlugin(scheme),
      parameters: { ...base.parameters, ...scoreOptions(values) },
      rules: [...(base.rules ?? []), ...flagRules(values)],
    });
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw usage(error.message);
    throw error;
  }
}

/** The fleet of the file, with the servers of the option; null without servers. */
async function fleetRequest(
  { fleet: named, domain }: Values,
  file: PolicyFile | null,
  input: PolicyInput,
): Promise<FleetRequest | null> {
  const { fleet } = file ?? (await parsePolicy('version = 1\n'));
  const servers = named === undefined ? fleet.servers : named.filter((server) => server !== 'none');
  if (servers.length === 0) return null;
  const meant = domain === undefined ? input : { ...input, domain: domainNamed(domain) };
  return { settings: { ...fleet, servers }, input: meant };
}

/** Reads the options, and, by `open`, the policy file that they name. Throws a usage error for what cannot be meant. */
export async function guardRequest(values: Values, open = openPolicyFile): Promise<GuardRequest> {
  const file = values.policy === undefined ? null : await open(values.policy);
  const input = file ? policyFor(file, values) : {};
  return {
    policy: await guardPolicy(values, input),
    fleet: await fleetRequest(values, file, input),
    control: file ? controlOptions(values, file) : values,
    json: values.json === true,
    reportS: values.report === undefined ? REPORT_DEFAULT_S : integer('-r', values.report, 0, DAY_S),
    native: nativeOf(values),
    processGroup: values['process-group'] === true,
    decisions: values.decisions === undefined ? {} : { most: integer('--decisions', values.decisions, 0, 64) },
    before: values.before,
    after: values.after,
  };
}
