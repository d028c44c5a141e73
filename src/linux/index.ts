/** What only Linux has: the readers of a live /proc and of its pressure, and the killer. */

export type { Decided } from './decided.js';
export { type Memory, readMachine, readMemory } from './machine.js';
export { type Reading, type ReadOptions, readTasks } from './read-all.js';
export { BOUNDED_SCHEMES, ProcScanner, type ScanOptions } from './scan.js';
