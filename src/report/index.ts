/**
 * Reports of the kernel's OOM killer: read, and ranked again. Re-exports only; nothing reachable from here imports `node:`.
 *
 * @module badness/report
 */
export { type AskedDomain, type AskedPolicy, type AskedRule, askPolicy, type UntoldCondition } from './asked-policy.js';
export type { Context } from './context.js';
export type { Doubt, DoubtCode } from './doubts.js';
export { type Era, type Evidence, spanWords } from './era.js';
export { type AlsoKilled, constraintOf, type OomEvent, reportOf, rowOf, slotOf, victimOf } from './event.js';
export { type EventJson, eventToJson } from './event-json.js';
export type { InvocationForm, Invoker } from './invocation.js';
export type { Killed, KilledForm, Named, Reaped, Selected, SelectedForm } from './kill-lines.js';
export type { CgroupMemory, MachineMemory, Usage } from './memory.js';
export { notesOf } from './notes.js';
export { type PolicyChoice, type PolicyOutcome, policyChoices, type UnknownRule } from './policy-choice.js';
export { KernelLogReader, type LogCounts, readKernelLog } from './reader.js';
export { type Reranking, rerank, type SchemeChoice } from './rerank.js';
export { type Freed, freedBy, type PageSize, type PageTables, type TotalPages } from './sizes.js';
export type { TableHeader, TableRow } from './table.js';
export type { Missing } from './tasks.js';
