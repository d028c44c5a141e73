/**
 * Stage: all of them. The policy of one domain: what a person or program chose comes in, a frozen object with every
 * default filled in goes out. Guards of several domains have a policy each: `definePolicy({ ...policy, domain })`.
 */
import { DEFAULT_SCHEME, SCHEMES, type SchemeName } from '../schemes.js';
import {
  type Check,
  check,
  either,
  flag,
  integer,
  keyed,
  list,
  object,
  oneOf,
  orNull,
  refuse,
  type Shape,
} from './checks.js';
import { type DomainInput, type DomainSpec, domainSpec } from './domain-spec.js';
import { commGlob } from './glob.js';
import { type LooseThresholds, type Thresholds, thresholds } from './levels.js';
import { type NotifyInput, type NotifyRule, notify } from './notify.js';
import { type PanicPlan, panicPlan } from './panic-plan.js';
import { type PhaseLimits, phaseLimits } from './phases.js';
import {
  type ModuleScheme,
  moduleScheme,
  moduleShape,
  type PluginSpec,
  type WasmScheme,
  wasmScheme,
} from './plugin-scheme.js';
import { type PressureRule, type PsiRule, type PsiTriggerRule, pressureRule } from './pressure-rule.js';
import { type Rule, type RuleInput, rules } from './rule.js';

/** Code that must be loaded in another thread, since closures cannot go there. `module` is an absolute URL. */
export interface ModuleExport {
  readonly module: string;
  readonly export: string;
}

/** What happens to the chosen one: built in, or the export of a module. */
export type ReactionChoice = 'kill' | 'panic' | 'none' | ModuleExport;

/** Parameters of the schemes that have them; see docs/schemes.md. */
export interface SchemeParameters {
  /** 1 … 2^31. Default 4. */
  readonly maxDiscount: number;
  readonly age: 'spare-old' | 'spare-young' | 'ignore';
  readonly adj: 'never-only' | 'kernel';
}

/** The gate of Linux 2.6.10, for reports of failed allocations. Milliseconds, 0 … 3,600,000. */
export interface RateRule {
  readonly kind: 'rate';
  /** Counted calls that let one through, 1 … 2^31 − 1. Default 10. */
  readonly calls: number;
  /** Calls do not count until so long after the first. Default 1,000. */
  readonly warmUpMs: number;
  /** A longer silence starts again. Default 5,000. */
  readonly windowMs: number;
  /** From one let through to the next. Default 5,000. */
  readonly cooldownMs: number;
}

/** `level` opens at once: for sources that measure a level. */
export type GateRule = { readonly kind: 'level' } | RateRule;

/** Milliseconds, 0 … 3,600,000. */
export interface Escalation {
  /** From SIGTERM to SIGKILL for a holder of CAP_SYS_RAWIO where SIGKILL was called for. Default 200. */
  readonly rawioMs: number;
  /** From SIGTERM to SIGKILL. Default 3,000. */
  readonly termMs: number;
  /** From SIGKILL until the victim counts as stuck. Default 10,000. */
  readonly stuckMs: number;
}

/** Frozen to the last leaf, plain data: it can be posted to a thread, printed, and given to `definePolicy` again. */
export interface Policy {
  /** False (the default): decide and say, touch nobody. */
  readonly enforce: boolean;
  readonly domain: DomainSpec;
  readonly scheme: SchemeName | PluginSpec;
  readonly parameters: SchemeParameters;
  readonly thresholds: Thresholds;
  readonly pressure: PressureRule;
  readonly gate: GateRule;
  /** Null (the default): not chosen, so `kill` is the last resort unless the program chooses. */
  readonly reaction: ReactionChoice | null;
  /** When nobody may be killed and no reaction ended the round. Default `none`, which still says so. */
  readonly noVictim: Exclude<ReactionChoice, 'kill'>;
  readonly panic: PanicPlan;
  readonly escalation: Escalation;
  readonly limits: PhaseLimits;
  /** Patterns on comm of tasks that are never chosen. Given, it replaces NEVER_DEFAULT. */
  readonly never: readonly string[];
  /** Of each kind of effect the first rule that matches a task counts; one that says `never` always does. Default none. */
  readonly rules: readonly Rule[];
  /** Who is told. Default nobody. */
  readonly notify: readonly NotifyRule[];
}

/** A plug-in whose bounds may be left out. */
type Loose<T extends PluginSpec> = Omit<T, 'fallback' | 'deadlineMs'> & Optional<Pick<T, 'fallback' | 'deadlineMs'>>;

type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

type LoosePsi = Optional<Omit<PsiRule, 'trigger'> & { trigger: Optional<PsiTriggerRule> | null }>;

/** A policy as it is written: whatever is left out, or undefined, takes its default. `definePolicy` checks it. */
export type PolicyInput = Optional<
  Omit<
    Policy,
    | 'domain'
    | 'scheme'
    | 'parameters'
    | 'thresholds'
    | 'pressure'
    | 'gate'
    | 'panic'
    | 'escalation'
    | 'limits'
    | 'rules'
    | 'notify'
  > & {
    domain: DomainInput;
    scheme: SchemeName | Loose<ModuleScheme> | Loose<WasmScheme>;
    parameters: Optional<SchemeParameters>;
    thresholds: LooseThresholds;
    pressure: Optional<Omit<PressureRule, 'psi'> & { psi: LoosePsi | null }>;
    gate: 'level' | 'rate' | { readonly kind: 'level' } | (Optional<RateRule> & { readonly kind: 'rate' });
    panic: Optional<PanicPlan>;
    escalation: Optional<Escalation>;
    limits: { readonly [K in keyof PhaseLimits]?: Optional<PhaseLimits[K]> | undefined };
    rules: readonly RuleInput[];
    notify: readonly NotifyInput[];
  }
>;

/**
 * Who takes the whole session along: display server, session manager, systemd --user (comm `systemd`; pid 1 is never
 * chosen anyway), sshd, dbus. A name is no proof of identity; any task can take one of these.
 */
export const NEVER_DEFAULT: readonly string[] = Object.freeze(
  (
    'Xorg X Xwayland gnome-shell kwin_wayland kwin_x11 mutter* sway weston Hyprland ' +
    'gnome-session* ksmserver xfce4-session startplasma* gdm* sddm* lightdm* login systemd-logind ' +
    'systemd (sd-pam) sshd* dbus-daemon dbus-broker*'
  ).split(' '),
);

const INT32_MAX = 2 ** 31 - 1;
const milliseconds = integer(0, 3_600_000);
const module = { module: object<ModuleExport>(moduleShape) };

const reaction = either<'kill' | 'panic' | 'none', ModuleExport>(oneOf(['kill', 'panic', 'none']), module);
const rate = object<RateRule>({
  kind: [oneOf(['rate']), 'rate'],
  calls: [integer(1, INT32_MAX), 10],
  warmUpMs: [milliseconds, 1000],
  windowMs: [milliseconds, 5000],
  cooldownMs: [milliseconds, 5000],
});
const level = object<{ kind: 'level' }>({ kind: [oneOf(['level']), 'level'] });

const kindOfGate = oneOf(['level', 'rate']);
const GATE_KEYS = ['kind', 'calls', 'warmUpMs', 'windowMs', 'cooldownMs'];

const gateForms = [kindOfGate.form, ...[level.form, rate.form].map((form) => ({ ...form, required: ['kind'] }))];
const gate: Check<GateRule> = check({ anyOf: gateForms }, (value, path) => {
  const given = typeof value === 'string' ? { kind: kindOfGate(value, path) } : keyed(value, path, GATE_KEYS);
  return (kindOfGate(given.kind, `${path}.kind`) === 'rate' ? rate : level)(given, path);
});

/** Every key of a policy with its check and its default. */
export const policyShape: Shape<Policy> = {
  enforce: [flag, false],
  domain: [domainSpec, 'auto'],
  scheme: [either<SchemeName, PluginSpec>(oneOf(SCHEMES), { module: moduleScheme, wasm: wasmScheme }), DEFAULT_SCHEME],
  parameters: [
    object<SchemeParameters>({
      maxDiscount: [integer(1, 2 ** 31), 4],
      age: [oneOf(['spare-old', 'spare-young', 'ignore']), 'spare-old'],
      adj: [oneOf(['never-only', 'kernel']), 'never-only'],
    }),
    {},
  ],
  thresholds: [thresholds, {}],
  pressure: [pressureRule, {}],
  gate: [gate, 'level'],
  reaction: [orNull(reaction), null],
  noVictim: [either<'panic' | 'none', ModuleExport>(oneOf(['panic', 'none']), module), 'none'],
  panic: [panicPlan, {}],
  escalation: [
    object<Escalation>({
      rawioMs: [milliseconds, 200],
      termMs: [milliseconds, 3000],
      stuckMs: [milliseconds, 10_000],
    }),
    {},
  ],
  limits: [phaseLimits, {}],
  never: [list(commGlob), NEVER_DEFAULT],
  rules: [rules, []],
  notify: [notify, []],
};

const policy = object<Policy>(policyShape);

/**
 * Checks a policy and fills in the defaults. `definePolicy(definePolicy(x))` is the same policy again.
 * Throws TypeError for a value of the wrong kind or an unknown key (naming the nearest), RangeError for a wrong value;
 * both say the path of the key (`policy.thresholds.term.available`), what was expected and what came.
 */
export function definePolicy(input: PolicyInput = {}): Policy {
  const result = policy(input, 'policy');
  const { escalation, limits } = result;
  const killMs = escalation.termMs + escalation.stuckMs;
  for (const key of ['eachMs', 'wholeMs'] as const) {
    if (limits.react[key] >= killMs) continue;
    const expected = `at least escalation.termMs + escalation.stuckMs (${killMs}), or a kill is cut off`;
    refuse(`policy.limits.react.${key}`, expected, limits.react[key]);
  }
  return result;
}
