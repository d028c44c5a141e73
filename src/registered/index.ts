/**
 * Registered tasks: whatever holds memory and can give it back, guarded as a machine is. Re-exports only; nothing reachable from here imports `node:`.
 *
 * @module badness/registered
 */
export { guardRegistered, RegisteredGuard, type RegisteredGuardOptions } from './registered-guard.js';
export { RegisteredReader } from './registered-reader.js';
export type { RegisteredTask } from './registered-task.js';
export { RegisteredWorld, type RegisteredWorldOptions } from './registered-world.js';
export { type RegistryOptions, TaskRegistry } from './registry.js';
export type { ShedAnswer, ShedAsk, TaskFigures, TaskSpec } from './task-spec.js';
