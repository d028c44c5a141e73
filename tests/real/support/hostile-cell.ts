// One cell of the hostile table: a victim in its own memory cgroup, a kill, and when its memory was really back.

import type { KillReport } from '../../../src/guard/kill-report.js';
import type { KillOptions } from '../../../src/linux/kill.js';
import { PATIENCE_MS } from '../../src/support/patience.js';
import { pause } from './count.js';
import { type HostileProcess, startHostile } from './hostile-process.js';
import { monotonicMs } from './killer-process.js';
import { type Freezer, freezer, type MemoryCgroup, memoryCgroup } from './own-cgroup.js';

/** Kills one pid and reports; {@link startKiller}'s `kill`, or anything else that does. */
export type Kill = (pid: number, options: KillOptions) => Promise<{ report: KillReport; startedMs: number }>;

export interface CellSetup {
  readonly binary: string;
  readonly kind: string;
  readonly mib: number;
  readonly argument?: number;
  readonly uid?: number;
  readonly frozen?: boolean;
  readonly busyLoops?: number;
  readonly options: KillOptions;
  /** Further kills of what is left in the cgroup, one round after the other. */
  readonly mostRounds: number;
  /** How long to look for the memory after the last report. */
  readonly watchMs: number;
}

export interface CellResult {
  readonly reports: readonly KillReport[];
  /** From the first call until the cgroup held less than a tenth; null when it never did before the end of the rounds. */
  readonly memoryBackMs: number | null;
  /** Held at the moment the last report came. */
  readonly heldAtReportBytes: number;
}

export async function runCell(setup: CellSetup, kill: Kill): Promise<CellResult | { skip: string }> {
  const group = memoryCgroup(setup.kind);
  if ('skip' in group) return group;
  const ice = setup.frozen ? freezer(setup.kind) : null;
  const started: HostileProcess[] = [];
  try {
    if (ice && 'skip' in ice) return ice;
    const { binary, uid } = setup;
    for (let i = 0; i < (setup.busyLoops ?? 0); i++) started.push(await startHostile({ binary, kind: 'busy', mib: 0 }));
    const victim = await startHostile({ ...setup, ...(uid === undefined ? {} : { uid }), cgroup: group });
    started.push(victim);
    await settle(setup, group, ice, victim);
    return await rounds(setup, group, victim, kill);
  } finally {
    for (const one of started) one.end();
    if (ice && !('skip' in ice)) await ice.remove();
    await group.remove();
  }
}

async function settle(
  setup: CellSetup,
  group: MemoryCgroup,
  ice: Freezer | { skip: string } | null,
  victim: HostileProcess,
) {
  await pause(150);
  if (ice && !('skip' in ice)) {
    ice.add(victim.pid);
    await ice.freeze();
  }
  const held = group.usageBytes();
  if (held < setup.mib * 2 ** 20 * 0.9) throw new Error(`${setup.kind} holds only ${held} bytes`);
}

async function rounds(setup: CellSetup, group: MemoryCgroup, victim: HostileProcess, kill: Kill): Promise<CellResult> {
  const limit = (setup.mib * 2 ** 20) / 10;
  const reports: KillReport[] = [];
  let backAt: number | null = null;
  let watching = true;
  const watch = (async () => {
    const giveUp = monotonicMs() + PATIENCE_MS;
    while (watching && backAt === null && monotonicMs() < giveUp) {
      if (group.usageBytes() < limit) backAt = monotonicMs();
      else await pause(3);
    }
  })();
  let startedMs = Number.NaN;
  let held = 0;
  for (let round = 0; round < setup.mostRounds && (round === 0 || held >= limit); round++) {
    const pid = round === 0 && setup.kind !== 'forker' ? victim.pid : group.pids()[0];
    if (pid === undefined) break;
    const answer = await kill(pid, setup.options);
    held = group.usageBytes();
    if (round === 0) startedMs = answer.startedMs;
    reports.push(answer.report);
  }
  // Memory that other tasks map as well goes with the last of them, after the report about this one.
  const giveUpMs = monotonicMs() + setup.watchMs;
  while (backAt === null && monotonicMs() < giveUpMs) await pause(3);
  watching = false;
  await watch;
  return { reports, memoryBackMs: backAt === null ? null : Math.max(0, backAt - startedMs), heldAtReportBytes: held };
}
