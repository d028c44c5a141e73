/** Stage: all of them. What a guard of this machine is made of, opened before memory is short. */
import { closeDomain, isDomainOpen, openDomain } from '../domains.js';
import type { Engine } from '../engine.js';
import { BadnessError } from '../errors.js';
import { Gate } from '../gate.js';
import { OomSignals } from '../oom-signals.js';
import { builtInScheme, pluginName } from '../policy/plugin-scheme.js';
import type { Policy } from '../policy/policy.js';
import type { AllocationGate } from '../pressure/caller-sources.js';
import { totalPagesOf } from '../pressure/memory-state.js';
import type { GuardFacts } from './guard-facts.js';
import { type GuardSource, type GuardSourceOptions, openGuardSource } from './guard-source.js';
import type { LinuxDomain } from './linux-domain.js';
import type { LinuxGuardOptions } from './linux-guard-options.js';
import { LinuxWorld, monotonicMs } from './linux-world.js';
import { probePidfd } from './live-system.js';
import { readMachine } from './machine.js';
import type { NativeLoad } from './native.js';
import type { OpenedDomain } from './open-domain.js';
import { rebootRefusal } from './panic.js';
import { openPluginScheme, type PluginScheme } from './plugin-scheme.js';
import { Protector } from './protector.js';
import type { OpenedRules } from './rules.js';
import { SuspendWatch } from './suspend.js';
import { createWaiter, type Waiter } from './wait.js';

const REBOOT_WANTS = 'it wants root or CAP_DAC_OVERRIDE, and in a service ProtectKernelTunables=no';

/** Number of the system in every engine. */
export const SYSTEM = 0;

export interface GuardParts {
  readonly engine: Engine;
  readonly domain: LinuxDomain;
  readonly reason: string;
  readonly number: number;
  readonly native: NativeLoad['native'];
  readonly nativeReason: string | null;
  readonly world: LinuxWorld;
  /** Another one with another policy, as are the notes. */
  source: GuardSource;
  /** Null without a plug-in. */
  plugin: PluginScheme | null;
  readonly sourceOptions: GuardSourceOptions;
  readonly gate: Gate;
  readonly waiter: Waiter;
  readonly signals: OomSignals;
  readonly protector: Protector;
  readonly suspend: SuspendWatch;
  /** Whether its program stays in memory. */
  locked: boolean;
  /** What somebody should know who starts it. */
  notes: readonly string[];
  /** What its rules look at, and the users that they name. */
  looking: Pick<OpenedRules, 'texts' | 'users'>;
}

/** What says by itself what is wrong, and is no matter of readings. */
const SPOKEN = ['EDOMAIN', 'EBUSY', 'E2BIG'];

/** What cannot be opened cannot be watched. Throws BadnessError `EPRESSURE`, `EDOMAIN`, `EBUSY`, `E2BIG`. */
export function openOrRefuse<T>(open: () => T): T {
  try {
    return open();
  } catch (cause) {
    if (cause instanceof BadnessError && SPOKEN.includes(cause.code)) throw cause;
    throw new BadnessError('EPRESSURE', `pressure cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** `undo` is given what gives each part back, for when a later one cannot be opened. */
export function openParts(
  undo: (() => void)[],
  engine: Engine,
  { domain, reason }: OpenedDomain,
  load: NativeLoad,
  { rules, unknownUsers, ...looking }: OpenedRules,
  plugin: PluginScheme | null,
  options: LinuxGuardOptions,
): GuardParts {
  const { policy, native: how } = options;
  const { native } = load;
  const kept = <T>(part: T, close: (part: T) => void): T => {
    undo.push(() => close(part));
    return part;
  };
  const number = kept(
    openOrRefuse(() => openNumber(engine, domain)),
    (open) => closeNumber(engine, open),
  );
  const waiter = kept(createWaiter(native, { blocks: options.for === 'daemon' }), (open) => open.close());
  const gate = new Gate(engine, number);
  setGate(gate, policy);
  const polls = waiter.body === 'poll';
  const { leastMs, mostMs } = options;
  const sleep = { ...(leastMs === undefined ? {} : { leastMs }), ...(mostMs === undefined ? {} : { mostMs }) };
  const protector = kept(new Protector(engine, options.protection), (open) => open.close());
  const wake = () => waiter.wake();
  const sourceOptions = { polls, gate: askedInMs(gate), wake, sources: options.sources, ...sleep };
  const source = kept(
    openOrRefuse(() => openGuardSource(policy, domain, sourceOptions)),
    (open) => open.source.close(),
  );
  const { processGroup } = options;
  const worldOptions = { native: how, heedOthers: true, processGroup, protector, rules, plugin, files: native?.files };
  return {
    engine,
    domain,
    reason,
    number,
    native,
    nativeReason: load.reason,
    world: kept(new LinuxWorld(engine, policy, domain, worldOptions), (open) => open.close()),
    plugin,
    protector,
    signals: new OomSignals(engine, number),
    source,
    sourceOptions,
    gate,
    waiter,
    suspend: kept(new SuspendWatch(() => gate.forget()), (open) => open.close()),
    locked: false,
    looking,
    notes: notesOf(policy, source, unknownUsers),
  };
}

/** The plug-in of a policy, ready; null where its scheme is the engine's own. Rejects with BadnessError `EPLUGIN`. */
export async function openPlugin(
  { scheme: spec }: Policy,
  engine: Engine,
  { tell }: Pick<LinuxGuardOptions, 'tell'>,
): Promise<PluginScheme | null> {
  if (typeof spec === 'string') return null;
  const name = pluginName(spec);
  const say = (error: string | null) => tell({ kind: 'plugin', atMs: monotonicMs(), name, error });
  return openPluginScheme({ spec, tasks: engine.capacity, tell: say });
}

export function notesOf({ panic }: Policy, source: GuardSource, unknownUsers: readonly string[]): string[] {
  const refused = panic.end === 'reboot' ? rebootRefusal() : null;
  return [
    ...source.notes,
    ...unknownUsers.map((name) => `no user is called ${name}: its rules match nobody`),
    ...(refused === null
      ? []
      : [`panic.end is reboot, and /proc/sysrq-trigger cannot be written (${refused}): ${REBOOT_WANTS}`]),
  ];
}

/** The memories in whose table a guard of this thread chooses. */
const guarded = new WeakSet<WebAssembly.Memory>();

/** The system is domain 0 of every engine, opened by whoever comes first; another one lies below it. */
function openNumber(engine: Engine, domain: LinuxDomain): number {
  if (guarded.has(engine.memory)) {
    const expected = 'engine must be of no other guard, because a table has one writer';
    throw new BadnessError('EBUSY', `${expected}, got one whose guard is open; close it, or open another engine`);
  }
  const totalPages = totalPagesOf(domain.reader.read(), readMachine().pageSize);
  const isSystem = domain.kind === 'system';
  if (!isDomainOpen(engine.view, SYSTEM)) openDomain(engine, { kind: 'system', ...(isSystem ? { totalPages } : {}) });
  const below = { parent: SYSTEM, root: domain.rootTgid ?? 0, totalPages };
  const number = isSystem ? SYSTEM : openDomain(engine, { kind: domain.kind, ...below });
  guarded.add(engine.memory);
  return number;
}

/** The system stays open: it is every domain's. */
export function closeNumber(engine: Engine, number: number): void {
  guarded.delete(engine.memory);
  if (number !== SYSTEM) closeDomain(engine, number);
}

/** `before`: the policy in force so far. A rate gate that stays one goes on counting. */
export function setGate(gate: Gate, { gate: rule }: Policy, before?: Policy): void {
  if (rule.kind === 'level') {
    if (before?.gate.kind === 'rate') gate.openLevel();
    return;
  }
  const { windowMs, warmUpMs, calls, cooldownMs } = rule;
  const rules = { windowTicks: windowMs, warmUpTicks: warmUpMs, calls, cooldownTicks: cooldownMs };
  if (before?.gate.kind === 'rate') gate.changeRate(rules);
  else gate.openRate(rules);
}

function askedInMs(gate: Gate): AllocationGate {
  return {
    failed: (nowMs: number) => gate.call(Math.floor(nowMs)) === 'kill',
    done: (thenMs: number) => gate.done(Math.floor(thenMs)),
  };
}

export function factsOf(
  { domain, reason, native, nativeReason, waiter, source, locked, notes }: GuardParts,
  policy: Policy,
): GuardFacts {
  const pidfd = native === null ? nativeReason! : probePidfd(native);
  return {
    domain: domain.name,
    reason,
    memory: source.memory.describe(),
    thresholds: policy.thresholds,
    scheme: builtInScheme(policy.scheme),
    plugin: typeof policy.scheme === 'string' ? null : pluginName(policy.scheme),
    enforce: policy.enforce,
    signals: pidfd === 'ok' ? 'pidfd' : 'kill',
    signalsReason: pidfd === 'ok' ? null : pidfd,
    waits: waiter.body,
    locked,
    notes,
  };
}
