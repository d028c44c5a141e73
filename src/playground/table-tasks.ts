/** Stage: table → tasks, for a page. What is in the table, as the moments of a story hold it. */
import { type Engine, ineligibleTasks, type RankedTask, rankTasks, type SchemeName } from '../index.js';

/** Every task of the table, by its place in it, as it ranks in a scheme. */
export function tasksInTable(engine: Engine, scheme: SchemeName): RankedTask[] {
  const { ranked } = rankTasks(engine, { scheme });
  return [...ranked, ...ineligibleTasks(engine, scheme)].sort((a, b) => a.slot - b.slot);
}
