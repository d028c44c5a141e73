/** Stage: all of them. A guard of this machine, as its control server asks it. */
import { readFileSync } from 'node:fs';
import { decodeComm } from '../comm.js';
import { BadnessError } from '../errors.js';
import type { LinuxGuard } from '../linux/linux-guard.js';
import { queueTasks } from '../linux/queue-tasks.js';
import type { ControlledGuard } from './controlled.js';

/** The process of an id. Throws BadnessError `ESRCH`. */
function groupOf(id: number): number {
  const task = queueTasks.open(id);
  if (!task) throw new BadnessError('ESRCH', `no task has the id ${id}`);
  queueTasks.close(task.handle);
  return task.tgid;
}

function commOf(tgid: number): string {
  try {
    const bytes = readFileSync(`/proc/${tgid}/comm`);
    // Ends with a newline; any other one is of the name.
    return decodeComm(new Uint8Array(bytes.subarray(0, -1)));
  } catch {
    return '';
  }
}

/** The guard has to be of this thread. `madeBy`: program and version, as its recordings tell them. */
export function controlledGuard(guard: LinuxGuard, madeBy: string | null = null): ControlledGuard {
  const { queue, protector } = guard;
  return {
    get facts() {
      return guard.facts;
    },
    get gate() {
      return guard.policy.gate;
    },
    get plugin() {
      return guard.plugin;
    },
    get reloads() {
      return guard.reloads;
    },
    queue,
    get level() {
      return guard.level;
    },
    get counters() {
      return guard.counters;
    },
    get token() {
      return guard.token;
    },
    get memory() {
      return guard.subscription.latest();
    },
    get protectedCount() {
      return protector.set.count;
    },
    describe: () => guard.describe(),
    protectedTasks() {
      protector.refresh();
      return protector.set.list().map(({ tgid }) => ({ tgid, comm: commOf(tgid) }));
    },
    isProtected(id) {
      const tgid = groupOf(id);
      protector.refresh();
      return protector.set.has(tgid);
    },
    setProtection(id, on) {
      if (on) protector.protect(id);
      else protector.unprotect(groupOf(id));
    },
    rank: () => guard.rankings.rank(),
    explain: (tgid, scheme) => guard.rankings.explain(tgid, scheme),
    decisionRecording: (id) => guard.decisions.recording(id, madeBy),
    round: () => guard.round(),
  };
}
