/** Rounds by hand of a guard of this machine. */
import { setTimeout } from 'node:timers/promises';
import type { RoundReport } from '../../../src/guard/round-report.js';
import type { LinuxGuard } from '../../../src/linux/linux-guard.js';

/** A round that waits for nobody: on a busy machine somebody else's task may be dying just then. */
export async function roundOf(guard: LinuxGuard): Promise<RoundReport> {
  for (let left = 100; ; --left) {
    const report = await guard.round();
    if (report.outcome !== 'in-flight' || left === 0) return report;
    await setTimeout(20);
  }
}
