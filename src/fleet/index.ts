/**
 * A fleet: one policy for many machines, and what was decided on them, over NATS (docs/fleet.md). Re-exports only.
 *
 * @module badness/fleet
 */

export { type AgentOptions, FleetAgent } from './agent.js';
export type { PolicyStatement, RolloutStep, Verify } from './envelope.js';
export type { AgentMemory, DecisionNews, FleetGuard, Taken } from './fleet-guard.js';
export type { FleetLink, LinkMessage, StoredPolicy } from './link.js';
export {
  diskMemory,
  diskStore,
  type KeptStanding,
  memoryStore,
  readStanding,
} from './live/disk-store.js';
export { Fleet } from './live/fleet.js';
export { NatsLink, type NatsLinkOptions } from './live/nats-link.js';
export { FleetPolicies, type FleetPoliciesOptions, type KeptPolicy, type PolicyChange } from './live/policies.js';
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
