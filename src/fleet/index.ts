/**
 * A fleet: one policy for many machines, and what was decided on them, over NATS (docs/fleet.md). Re-exports only.
 *
 * @module badness/fleet
 */

export { type AgentOptions, FleetAgent } from './agent.js';
export type { PolicyStatement, RolloutStep, Verify } from './envelope.js';
export type { AgentMemory, DecisionNews, FleetGuard, Taken } from './fleet-guard.js';
export type { FleetLink, LinkMessage, StoredPolicy } from './link.js';
export type { AskPreview } from './live/ask-machines.js';
export {
  diskMemory,
  diskStore,
  type KeptStanding,
  memoryStore,
  readStanding,
} from './live/disk-store.js';
export { Fleet } from './live/fleet.js';
export type { FleetWorkOptions } from './live/fleet-evaluation.js';
export { NatsLink, type NatsLinkOptions } from './live/nats-link.js';
export { FleetPolicies, type FleetPoliciesOptions, type KeptPolicy, type PolicyChange } from './live/policies.js';
export { FleetRecordings, type KeptRecording } from './live/recordings.js';
export type { ReadReports } from './live/report-reader.js';
export type { SetupOptions } from './live/setup.js';
export { newSigningKey, openSigner, type Signer, verifier } from './live/signing.js';
export {
  fleetFolder,
  type RoundSources,
  RunningFleet,
  type StartFleetOptions,
  startFleet,
} from './live/start-fleet.js';
export type { FleetWhatIf } from './live/what-if-run.js';
export type { WhatIfSetup } from './live/what-if-setup.js';
export { type Limited, type LocalSide, limitPolicy } from './local-limits.js';
export {
  nameOf,
  type PolicyTarget,
  parseTarget,
  policyKey,
  type ReportKind,
  targetOf,
  targetText,
  tokenOf,
} from './names.js';
export type { FleetPolicy, FleetShadow, PolicyOrigin, Sequences } from './policy-keeper.js';
export {
  byPressure,
  type Gathered,
  type MemoryRecord,
  type PreviewAnswer,
  type PreviewAsk,
  type PreviewedVictim,
  type PreviewFound,
} from './questions.js';
export type {
  DecisionReport,
  DroppedReport,
  FleetReport,
  PressureReport,
  ShadowVerdict,
  StateReport,
} from './report.js';
export type { FleetConnection, FleetServers } from './servers.js';
export { Spool, type SpoolOptions, type SpoolRecord, type SpoolStore } from './spool.js';
export { changeId, type FleetLooked, timeLeftMs, type WhatIfJob } from './what-if.js';
