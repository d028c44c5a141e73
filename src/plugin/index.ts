/**
 * Schemes of a user's own: what they are given, and how a program asks its own function. Re-exports only; nothing reachable from here imports `node:`.
 *
 * @module badness/plugins
 */
export { compilePlugin, MEMORY_PAGES_MOST } from './check-wasm.js';
export {
  COLUMNS,
  HEADER,
  HEADER_BYTES,
  layoutConstants,
  layoutTable,
  PLUGIN_ABI,
  regionBytes,
  TASK_BYTES,
} from './layout.js';
export { FunctionPoints, type PluginReport, type PointsSource } from './points-source.js';
export type { PluginMachine, PluginTask, PointsFunction } from './task-function.js';
