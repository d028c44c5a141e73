/**
 * The exported ABI, no logic. Every function takes and returns numbers; what is larger goes through the memory that
 * layout.ts describes. `w` is the address of the calling thread's window. Answers below 0 are the E_* of layout.ts.
 */

export { points_scalar } from './badness';
export { decision_write, explain } from './decision';
export { gate_call } from './gate';
export { stat_parse } from './proc/stat';
export { statm_parse } from './proc/statm';
export { status_parse } from './proc/status';
export { queue_parse, queue_publish, queue_take } from './queue';
export { score } from './score';
export { rank, select } from './select';
export { abi_version, table_begin, table_publish, table_put, table_refresh } from './table';
export {
  token_acquire,
  token_finish,
  token_victim,
} from './token';
