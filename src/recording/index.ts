/**
 * Recordings of a machine, read and written. Re-exports only; nothing reachable from here imports `node:`.
 *
 * @module badness/recording
 */

export { openRecordedChooser, RecordedChooser } from './choose.js';
export { type DecidedBy, decisionRecording } from './decision-recording.js';
export { loadRecorded, RecordedMemory, type RecordedReading, tasksRecorded } from './load.js';
export { badOne, type Looked, type LookOptions, RecordingLooker } from './looked.js';
export { parseRecording, type ReadLimits, RecordingReader } from './reader.js';
export { playRecordedCase } from './recorded-case.js';
export { RecordedFiles } from './recorded-files.js';
export {
  domainName,
  type Entry,
  FACTS_DEFAULT,
  MARKS,
  type Mark,
  type Moment,
  momentsOf,
  RECORDING_VERSION,
  type RecordedDomain,
  type Recording,
  type RecordingFacts,
  SNAPSHOT_FACTS_DEFAULT,
  type SnapshotChange,
  type SnapshotFacts,
} from './recording.js';
export {
  policyRecorded,
  type Replayed,
  type ReplayedEvent,
  type ReplayOptions,
  replayGuard,
  tasksMost,
  withoutPlugin,
} from './replay-guard.js';
export { ReportRecorder } from './report-recording.js';
export { recordedTexts } from './texts.js';
export {
  type Standing,
  type Verdict,
  type WhatIf,
  type WhatIfChange,
  type WhatIfOptions,
  whatIf,
} from './what-if.js';
export { type MachineState, RecordingWriter } from './writer.js';
