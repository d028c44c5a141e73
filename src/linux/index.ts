/**
 * What only Linux has: the readers of a live /proc and of its pressure, and the killer.
 *
 * @module badness/linux
 */

export * from '../control/index.js';
export { type Plain, snakeKeys } from '../json-keys.js';
export {
  type CgroupLimit,
  CgroupReader,
  type CgroupState,
  cgroupMembers,
  cgroupOomKills,
  machineOomKills,
  nearestLimit,
} from './cgroup.js';
export { type CgroupPlace, findMemoryCgroup } from './cgroup-place.js';
export { type CommandNotifierOptions, commandNotifier } from './command-notifier.js';
export type { Decided } from './decided.js';
export { type DoctorFacts, readDoctorFacts } from './doctor.js';
export { doctorLines, doctorToJson } from './doctor-report.js';
export { type AutoDomain, type AutoDomainOptions, autoDomain } from './domain.js';
export type { FileCalls, ReadAt } from './file-calls.js';
export type { GuardFacts } from './guard-facts.js';
export type { PolicyReloads } from './guard-standing.js';
export type { KeptDecisions, WholeDecision } from './kept-decisions.js';
export { type KillOptions, killTask } from './kill.js';
export type { KillGroup } from './kill-group.js';
export { type KillRoundOptions, killRound } from './kill-round.js';
export { type LinuxDomain, systemDomain } from './linux-domain.js';
export { LinuxGuard } from './linux-guard.js';
export type { LinuxGuardOptions } from './linux-guard-options.js';
export { LinuxWorld, type LinuxWorldOptions, monotonicMs } from './linux-world.js';
export { LiveRanking, type LiveRankingOptions, type LiveReading } from './live-ranking.js';
export { type Memory, readMachine, readMemory } from './machine.js';
export { type Meminfo, MeminfoReader } from './meminfo.js';
export { loadNative, type NativeLoad } from './native.js';
export { ruleNotifier } from './notify-rules.js';
export { type OpenDomainOptions, type OpenedDomain, openLinuxDomain } from './open-domain.js';
export { openLinuxGuard } from './open-linux-guard.js';
export { openPluginScheme, PluginScheme, type PluginSchemeOptions, type PluginState } from './plugin-scheme.js';
export { loadPolicyFile } from './policy-file.js';
export { type PolicyView, viewByPolicy } from './policy-view.js';
export type { ProtectorOptions } from './protector.js';
export {
  openPsiTrigger,
  type Psi,
  type PsiKind,
  type PsiLine,
  PsiReader,
  type PsiTrigger,
  type PsiTriggerResult,
  type PsiTriggerSpec,
} from './psi.js';
export { PsiSource, type PsiSourceOptions } from './psi-source.js';
export { openQueue, queueTasks } from './queue-tasks.js';
export { RankedPids, type RankedPidsOptions, rankedPids } from './ranked-pids.js';
export { Ranker, type RankerCounters, type RankerOptions } from './ranker.js';
export type { ExplainedNow, RankedNow } from './rankings.js';
export { type Reading, type ReadOptions, readTasks } from './read-all.js';
export { Recorder, type RecorderOptions, recordedDomain } from './recorder.js';
export { type OpenedRules, openRules, type RuleOptions } from './rules.js';
export { ProcScanner } from './scan.js';
export { BOUNDED_SCHEMES, type ScanOptions } from './scan-options.js';
export {
  openServiceManager,
  type ServiceManager,
  type ServiceManagerOptions,
} from './service-manager.js';
export { type EventOf, RunningGuard, type StartGuardOptions, startGuard } from './start-guard.js';
export { RunningRanker, type StartRankerOptions, startRanker } from './start-ranker.js';
export { SubtreeMembers, type SubtreeOptions, type SubtreeState } from './subtree.js';
export { plantCookie } from './subtree-cookie.js';
export type { Member } from './subtree-member.js';
export { SubtreeReader, type SubtreeReaderOptions } from './subtree-reader.js';
export { type SuspendClocks, SuspendWatch } from './suspend.js';
export {
  openV1Event,
  type V1Event,
  type V1EventFile,
  type V1Meaning,
  V1OomReader,
  type V1OomState,
} from './v1-events.js';
export { V1OomSource } from './v1-oom-source.js';
export { type V2Counter, type V2Counts, V2EventsReader, V2EventsSource, type V2SourceOptions } from './v2-events.js';
export { createWaiter, type WaitEnd, type Waiter, type WaiterOptions, type WakeHandle, wakeFrom } from './wait.js';
