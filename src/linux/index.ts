/** What only Linux has: the readers of a live /proc and of its pressure, and the killer. */

export type { Decided } from './decided.js';
export { type DoctorFacts, readDoctorFacts } from './doctor.js';
export { doctorLines, doctorToJson } from './doctor-report.js';
export { type KillOptions, killTask } from './kill.js';
export { type KillReport, killReportToJson } from './kill-report.js';
export { type Memory, readMachine, readMemory } from './machine.js';
export { loadNative, type NativeLoad } from './native.js';
export { type Reading, type ReadOptions, readTasks } from './read-all.js';
export { BOUNDED_SCHEMES, ProcScanner, type ScanOptions } from './scan.js';
