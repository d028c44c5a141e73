/** Policies: what to watch, whom to spare, what to do. Re-exports only; nothing reachable from here imports `node:`. */
export { matchComm } from './comm-glob.js';
export type { DomainInput, DomainSpec } from './domain-spec.js';
export { defineThresholds, type Level, type LooseThresholds, type Thresholds } from './levels.js';
export type { PanicEnd, PanicPlan } from './panic-plan.js';
export { PHASES, type Phase, type PhaseLimit, type PhaseLimits } from './phases.js';
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
export {
  boundOf,
  fallenTo,
  parseThresholdPair,
  type Threshold,
  type ThresholdInput,
  type ThresholdPair,
} from './threshold.js';
