/**
 * The public API: re-exports only. Nothing reachable from here imports `node:`.
 *
 * @module badness
 */
export { type Engine, type EngineAbi, type EngineBuild, type EngineOptions, openEngine } from './engine.js';
export { BadnessError } from './errors.js';
export { explainTask, type Terms } from './explain.js';
export {
  type Ineligible,
  ineligibleTasks,
  type Outcome,
  type RankedTask,
  type Ranking,
  rankOf,
  rankTasks,
  type ScoreOptions,
  scoreTasks,
  selectTask,
} from './rank.js';
export { DEFAULT_SCHEME, SCHEMES, type SchemeName } from './schemes.js';
export { loadTasks, MACHINE_DEFAULTS, type Machine, type Task, type TaskKind } from './task.js';
export {
  machineToRecord,
  parseTaskLines,
  type RankedRecord,
  RECORD_KEYS,
  rankedToRecord,
  TaskLineReader,
  type TaskLines,
  type TaskRecord,
  taskToRecord,
} from './task-json.js';
export { nearestWord } from './task-keys.js';
