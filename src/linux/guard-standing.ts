/**
 * Stage: all of them. What of a guard hangs on its policy, and how another policy takes its place: everything that can fail is
 * opened first, beside what is in force; then it is switched in one step between two rounds. Domain, kill token, gate, protected
 * tasks, listeners and the candidate queue stay what they are. (A new guard for the new policy would let go of every protected task for
 * a moment, forget the members of a subtree that a parent walk does not find any more, and end the listeners of the domain.)
 */
import { BadnessError } from '../errors.js';
import { NotifierChain } from '../guard/notifier-chain.js';
import { Panic, type PanicOptions, type PanicReport } from '../guard/panic.js';
import { refuseModules } from '../guard/refuse-modules.js';
import { registerApart } from '../guard/register-apart.js';
import type { Policy } from '../policy/policy.js';
import type { Chooser } from './chooser.js';
import { type GuardParts, notesOf, openOrRefuse, openPlugin } from './guard-parts.js';
import { type GuardSource, openGuardSource } from './guard-source.js';
import type { LinuxGuardOptions } from './linux-guard-options.js';
import { monotonicMs } from './linux-world.js';
import { ruleNotifier } from './notify-rules.js';
import { linuxPanicActions } from './panic.js';
import type { PluginScheme } from './plugin-scheme.js';
import { Rankings } from './rankings.js';
import { openRules } from './rules.js';

/** What a guard shows of it. */
export interface Standing {
  readonly policy: Policy;
  /** Whose relieve, beforeKill, react and afterKill are called. */
  readonly chain: NotifierChain;
  /** Whose `warn` is called. */
  readonly warnings: NotifierChain;
  readonly panic: Panic;
  /** Whom it would choose, for who asks meanwhile. */
  readonly rankings: Rankings;
}

/** How often another policy was taken, and how often one was refused. */
export interface PolicyReloads {
  readonly taken: number;
  readonly refused: number;
  /** What was wrong with the last that was refused, a line each; null while none was. */
  readonly lastError: string | null;
}

export interface StandingOptions extends Pick<LinuxGuardOptions, 'tell'> {
  readonly askMain?: ((code: number) => void) | undefined;
  /** The hand-off of a panic, and who hears of it. */
  readonly panic?: Pick<PanicOptions, 'handOff' | 'report'> | undefined;
}

/** Names in the chain that are the policy's, not the program's. */
function ownNames({ reaction, notify }: Policy): string[] {
  return [
    ...(typeof reaction === 'string' ? [reaction] : []),
    ...notify.map((rule, index) => ruleNotifier(rule, index).name),
  ];
}

/** `before`: whose notifiers of the program's own go on to be asked. Throws as NotifierChain.register. */
export function standingOf(policy: Policy, chooser: Chooser, options: StandingOptions, before?: Standing): Standing {
  const { limits, notify, rules } = policy;
  const chain = new NotifierChain({ limits });
  const warnings = new NotifierChain({ limits });
  for (const [index, rule] of notify.entries()) registerApart(ruleNotifier(rule, index), warnings, chain);
  if (before) {
    const names = ownNames(before.policy);
    before.chain.copyTo(chain, names);
    before.warnings.copyTo(warnings, names);
  }
  // One that is under way ends as it began.
  const panic = before?.panic.admitting === false ? before.panic : panicBy(policy, options);
  return { policy, chain, warnings, panic, rankings: new Rankings(chooser, { rules }) };
}

function panicBy({ panic: plan }: Policy, { askMain, panic, tell }: StandingOptions): Panic {
  const actions = linuxPanicActions({ allowReboot: plan.allowReboot, ...(askMain ? { askMain } : {}) });
  const report = (change: PanicReport) => {
    const { state, problem } = change;
    tell({ kind: 'panic', atMs: monotonicMs(), state, problem });
    panic?.report?.(change);
  };
  return new Panic({ plan, actions, ...panic, report });
}

/** What a guard has threads for. */
export const LOADS: readonly string[] = ['scheme'];

/** Opened for another policy, and not in force yet. */
export interface Prepared {
  readonly policy: Policy;
  readonly chooser: Chooser;
  readonly plugin: PluginScheme | null;
  readonly source: GuardSource;
  readonly notes: readonly string[];
  readonly looking: GuardParts['looking'];
  /** When it is not to come into force. */
  close(): void;
}

/** Another domain has other members, another place in the memory of the engine, and other listeners. */
function refuseOtherDomain({ domain }: Policy, before: Policy): void {
  const [asked, present] = [JSON.stringify(domain), JSON.stringify(before.domain)];
  if (asked === present) return;
  throw new BadnessError(
    'EDOMAIN',
    `domain must stay ${present} while the guard runs, got ${asked}; start another guard for it`,
  );
}

/** Rejects with BadnessError `EDOMAIN` for another domain, `EPRESSURE`; TypeError or RangeError for a policy that cannot be used here. */
export async function prepare(
  parts: GuardParts,
  policy: Policy,
  before: Policy,
  options: Pick<LinuxGuardOptions, 'tell'>,
): Promise<Prepared> {
  refuseOtherDomain(policy, before);
  refuseModules(policy, LOADS);
  const { domain, engine, sourceOptions, world } = parts;
  const { rules, unknownUsers, ...looking } = await openRules(engine, policy.rules);
  const opened: (() => void)[] = [];
  const close = () => {
    for (const one of opened) one();
  };
  try {
    const plugin = await openPlugin(policy, engine, options);
    opened.push(() => plugin?.close());
    const source = openOrRefuse(() => openGuardSource(policy, domain, sourceOptions, parts.source));
    opened.push(() => source.retire());
    const chooser = world.chooserFor(policy, { rules, plugin });
    opened.push(() => chooser.close());
    return { policy, chooser, plugin, source, notes: notesOf(policy, source, unknownUsers), looking, close };
  } catch (error) {
    close();
    throw error;
  }
}
