/** Stage: all of them. Opens the guard of one domain of this machine. */
import { openEngine } from '../engine.js';
import { BadnessError } from '../errors.js';
import { refuseModules } from '../guard/refuse-modules.js';
import { type GuardParts, openOrRefuse, openParts, openPlugin } from './guard-parts.js';
import { LOADS } from './guard-standing.js';
import { LinuxGuard } from './linux-guard.js';
import type { LinuxGuardOptions } from './linux-guard-options.js';
import { requireProc } from './machine.js';
import { lockProgram, shedProgram } from './memory-lock.js';
import { loadNative } from './native.js';
import { openLinuxDomain } from './open-domain.js';
import { listPids } from './proc-files.js';
import { openRules } from './rules.js';
import { warmUp } from './warm-up.js';

/** Room for tasks that a fork bomb brings. Costs address space, not memory, until there are so many. */
const TASKS_LEAST = 32_768;

/**
 * Opens a guard. Nobody is killed before `run`, nor then unless the policy says `enforce: true`.
 * Throws BadnessError `EPRESSURE` when pressure cannot be read, `EDOMAIN` for a domain that is not there, `EBUSY` for an
 * engine that another guard chooses in, `ENOTLINUX`; TypeError or RangeError for a policy that cannot be used here.
 */
export async function openLinuxGuard(options: LinuxGuardOptions): Promise<LinuxGuard> {
  const { policy } = options;
  refuseModules(policy, LOADS);
  requireProc();
  const load = await loadNative(options.native ? { native: options.native } : {});
  const { native } = load;
  // Before what it does is compiled: who compiles is wanted by the first kill too.
  if (options.lockMemory === true && native !== null) shedProgram(native, { keepSymbols: true });
  const engine =
    options.engine ?? (await openEngine({ maxTasks: Math.max(TASKS_LEAST, 2 * listPids('/proc').length) }));
  const opened = openOrRefuse(() =>
    openLinuxDomain(policy.domain, {
      for: options.for,
      native,
      cookie: options.cookie,
    }),
  );
  const undo = [() => opened.domain.close()];
  let parts: GuardParts;
  let guard: LinuxGuard;
  try {
    const rules = await openRules(engine, policy.rules);
    const plugin = await openPlugin(policy, engine, options);
    undo.push(() => plugin?.close());
    parts = openParts(undo, engine, opened, load, rules, plugin, options);
    guard = new LinuxGuard(parts, options);
  } catch (error) {
    for (const close of undo.reverse()) close();
    throw error;
  }
  try {
    begin(guard, parts, options);
  } catch (error) {
    await guard.close();
    throw error;
  }
  return guard;
}

/** What a guard does once before it watches. */
function begin(guard: LinuxGuard, parts: GuardParts, { lockMemory }: LinuxGuardOptions): void {
  const { source, world, signals, native } = parts;
  const { error } = source.source.read(world.nowMs());
  if (error !== null) throw new BadnessError('EPRESSURE', `pressure of ${world.name} cannot be read: ${error}`);
  signals.watch();
  // The first choice opens a descriptor a task and compiles what a later one runs.
  world.choose();
  guard.decisions.prepare();
  warmUp(parts);
  parts.locked = lockMemory === true && native !== null && lockProgram(native);
}
