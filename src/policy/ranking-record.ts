/** Stage: report. What a ranking came to, before its tasks: one record, for whoever prints it or sends it. */
import type { PluginReport } from '../plugin/points-source.js';
import type { Reading } from '../proc/read-all.js';
import type { Ranking, ScoreOptions } from '../rank.js';
import { machineToRecord } from '../task-json.js';

/** The first line of `badness rank --json`: the machine, how it was scored, what came out, and what was read. */
export function rankingRecord(
  { machine, tasks, gone, unreadable, left }: Reading,
  scoring: ScoreOptions,
  { outcome, victim, eligible }: Ranking,
  plugin: PluginReport | null,
): Record<string, unknown> {
  return {
    ...machineToRecord(machine, scoring),
    ...(plugin && { plugin: { name: plugin.name, answered: plugin.answered, reason: plugin.reason } }),
    ...{ outcome, victim: victim?.tgid ?? null, tasks, eligible, gone, unreadable, left },
  };
}
