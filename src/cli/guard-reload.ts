/** Stage: none (settings). SIGHUP has a guard read its policy file again; the options of the command line go over it as before. */
import { type LinuxGuard, loadPolicyFile, type ServiceManager } from '../linux/index.js';
import type { GuardFleet } from './guard-fleet.js';
import { type GuardRequest, guardRequest } from './guard-options.js';
import { statusLine } from './guard-words.js';
import type { Values } from './options.js';

/**
 * From now on SIGHUP does not end the process. What is returned names who hears of it: also of one that came before that. Without a
 * policy file there is nothing to be read again, and SIGHUP ends the process as usual.
 */
export function onHangUp({ policy }: Values): (heard: () => void) => void {
  let came = false;
  let hear = () => {
    came = true;
  };
  if (policy !== undefined) process.on('SIGHUP', () => hear());
  return (heard) => {
    hear = heard;
    if (came) heard();
  };
}

export interface Reload {
  readonly guard: LinuxGuard;
  readonly values: Values;
  /** What it was started with. */
  readonly began: GuardRequest;
  readonly manager: ServiceManager | null;
  /** Hears of what only counts when a guard begins. */
  readonly note: (words: string) => void;
  readonly fleet: GuardFleet | null;
}

/** Reads the file again, and takes it where it is good. */
export async function reload({ guard, values, began, manager, note, fleet }: Reload): Promise<void> {
  let request = began;
  manager?.reloading();
  const taken = await guard.reload(async () => {
    request = await guardRequest(values, loadPolicyFile);
    // While a policy of the fleet is in force it is put together anew, with what the file says now.
    return fleet?.ownChanged(request) ?? request.policy;
  });
  manager?.ready(statusLine(guard.facts));
  if (!taken) return;
  const later = 'counts when the guard is started again';
  if (JSON.stringify(request.control) !== JSON.stringify(began.control)) {
    note(`what the policy says of the control socket ${later}`);
  }
  if (agentOf(request) !== agentOf(began)) note(`what the policy says of the fleet ${later}, except for allow`);
}

/** What the agent of a fleet is started by. */
function agentOf({ fleet }: GuardRequest): string {
  return JSON.stringify(fleet && { ...fleet.settings, allow: [] });
}
