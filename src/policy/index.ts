/**
 * Policies: what to watch, whom to spare, what to do. Re-exports only; nothing reachable from here imports `node:`.
 *
 * @module badness/policy
 */

export type { PluginReport, PointsSource } from '../plugin/points-source.js';
export { type CompiledRule, type CompileOptions, compileRules, type FileCondition } from './compiled-rule.js';
export type { ControlSettings } from './control.js';
export type { DomainInput, DomainSpec } from './domain-spec.js';
export {
  FLEET_ALLOWANCES,
  type FleetAllowance,
  type FleetInput,
  type FleetSettings,
} from './fleet-settings.js';
export { matchGlob } from './glob.js';
export { defineThresholds, type Level, type LooseThresholds, type Thresholds } from './levels.js';
export { NOTIFY_ON, type NotifyInput, type NotifyRule } from './notify.js';
export type { PanicEnd, PanicPlan } from './panic-plan.js';
export { PHASES, type Phase, type PhaseLimit, type PhaseLimits } from './phases.js';
export { builtInScheme, type ModuleScheme, type PluginSpec, pluginName, type WasmScheme } from './plugin-scheme.js';
export {
  definePolicy,
  type Escalation,
  type GateRule,
  type ModuleExport,
  NEVER_DEFAULT,
  type Policy,
  type PolicyInput,
  type RateRule,
  type ReactionChoice,
  type SchemeParameters,
} from './policy.js';
export { POLICY_VERSION, type PolicyFile, parsePolicy } from './policy-file.js';
export { PolicyFileError, type PolicyProblem } from './policy-problems.js';
export { policySchema } from './policy-schema.js';
export { policyToToml, type ShowOptions } from './policy-toml.js';
export type { PressureRule, PsiRule, PsiTriggerRule } from './pressure-rule.js';
export { type Preview, type PreviewEnd, type PreviewedKill, type PreviewOptions, preview } from './preview.js';
export {
  type AskedPlugin,
  type RankedBy,
  type RankingBy,
  rankBy,
  rowBy,
  type SelectedBy,
  selectBy,
} from './rank-by.js';
export { type RankedColumns, rankColumns } from './ranked-columns.js';
export { rankingRecord } from './ranking-record.js';
export { NO_TEXTS, RowRules, type RuleHit, type RulesReport, type TaskTexts } from './row-rules.js';
export { everyRule, type FlagExpressions, flagRules, type Rule, type RuleInput } from './rule.js';
export {
  boundOf,
  fallenTo,
  parseThresholdPair,
  showSize,
  type Threshold,
  type ThresholdInput,
  type ThresholdPair,
  threshold,
} from './threshold.js';
export { tomlString } from './toml-values.js';
