/** Stage: table → selection. Who is called like somebody on the never list of a policy. */
import * as L from '../../assembly/layout.js';
import { decodeComm } from '../comm.js';
import { matchesAny } from '../policy/glob.js';
import type { Exempt } from './read-all.js';

/** Exempts the tasks whose comm matches one of `never` (see NEVER_DEFAULT). */
export function exemptNever(never: readonly string[]): Exempt {
  return (engine) => {
    const at = engine.window + L.W_COMM;
    const comm = decodeComm(engine.bytes.slice(at, at + L.COMM_BYTES));
    return matchesAny(never, comm) ? L.TASK_RULE_NEVER : 0;
  };
}
