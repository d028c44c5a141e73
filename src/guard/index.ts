/**
 * The guard's parts that a program can use by themselves. Re-exports only; nothing reachable from here imports `node:`.
 *
 * @module badness/guard
 */
export { type Decision, type DecisionRow, decide, decisions } from '../decision.js';
export { closeDomain, type DomainKind, type DomainOptions, openDomain } from '../domains.js';
export { Gate, type GateAnswer } from '../gate.js';
export type { ListenerSignals } from '../listener-cells.js';
export { Listener, type ListenerEngine, listen } from '../listeners.js';
export { type OomCause, OomSignals } from '../oom-signals.js';
export type { OomEvent, OomLevel, OomReason, OomVictim } from '../oom-state.js';
export {
  type AllocationFailures,
  type AllocationGate,
  allocationFailures,
  type CallerSourceOptions,
  callerSource,
  type ReportedLevel,
  reportedLevel,
} from '../pressure/caller-sources.js';
export { type MemoryReader, MemorySource, type MemorySourceOptions, memorySource } from '../pressure/memory-source.js';
export {
  availablePercent,
  levelOf,
  type MemoryState,
  type PressureLevel,
  swapFreePercent,
} from '../pressure/memory-state.js';
export {
  type CombineOptions,
  combineSources,
  type Pressure as SourceReading,
  type PressureSource,
  type WakeUp,
} from '../pressure/pressure.js';
export { type MemoryNews, MemorySubscription } from '../pressure/subscription.js';
export { type Candidate, CandidateQueue, type ReplaceOptions, type ReplaceResult, type TaskHandles } from '../queue.js';
export { backOffMs, KillToken, type TokenHolder, type TokenVictim } from '../token.js';
export { type Clock, systemClock } from './clock.js';
export { Guard } from './guard.js';
export { type GuardCounters, type GuardEvent, guardEventToJson } from './guard-events.js';
export type { GuardOptions } from './guard-options.js';
export {
  type GroupFacts,
  type KillError,
  type KillReport,
  type KillSignal,
  killReportToJson,
  type SentSignal,
  type SharerMethod,
  type ShedFacts,
} from './kill-report.js';
export type { CallOutcome, CallReport, Notifier, NotifierState, WalkReport } from './notifier.js';
export { type ChainOptions, NotifierChain } from './notifier-chain.js';
export { PANIC_TEXT, Panic, type PanicActions, type PanicOptions, type PanicReport, type PanicState } from './panic.js';
export {
  type BuiltinReaction,
  type Reaction,
  type ReactionReport,
  Reactions,
  type ReactionsOptions,
  type RoundFacts,
  type UserReaction,
} from './reactions.js';
export type { RoundAsk, RoundsOptions } from './round.js';
export type {
  Answer,
  Handler,
  KillOutcome,
  KillResult,
  PhaseEvents,
  Pressure,
  ReactionContext,
  VictimFacts,
} from './round-events.js';
export {
  type MemoryReading,
  type PassedOver,
  type RoundOutcome,
  type RoundReport,
  roundReportToJson,
} from './round-report.js';
export { Rounds } from './rounds.js';
export type { Choice, Held, KillAsk, World } from './world.js';
