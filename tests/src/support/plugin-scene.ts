// A plug-in as it is shipped (dist/linux.js) before a table of three tasks; the clock of its pauses is the test's.
import { resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import * as L from '../../../assembly/layout.js';
import { type Engine, openEngine } from '../../../src/engine.js';
import type { PluginScheme } from '../../../src/linux/plugin-scheme.js';
import type { PluginSpec } from '../../../src/policy/plugin-scheme.js';
import { scoreTasks } from '../../../src/rank.js';
import { loadTasks } from '../../../src/task.js';

const entry = pathToFileURL(resolve('dist/linux.js')).href;
export const { openPluginScheme } = (await import(entry)) as typeof import('../../../src/linux/index.js');

export const MACHINE = { hz: 100, pageSize: 4096, uptimeS: 1000, totalPages: 100_000 };

/** Three that may be chosen, of 300, 200 and 100 pages, and pid 1, which may not. */
async function table(): Promise<Engine> {
  const engine = await openEngine({ maxTasks: 64 });
  const tasks = [0, 1, 2].map((index) => ({
    ...{ tgid: 300 + index, ppid: 1, comm: `task-${index}`, nice: index, startTimeTicks: 90_000 },
    ...{ rssPages: 300 - index * 100, totalVmPages: 1000 },
  }));
  loadTasks(engine, [{ tgid: 1, comm: 'init', rssPages: 9999, totalVmPages: 9999 }, ...tasks], MACHINE);
  scoreTasks(engine, { scheme: 'resident' });
  return engine;
}

function pointsIn(engine: Engine): number[] {
  return Array.from({ length: engine.count }, (_, slot) => engine.f64(L.C_POINTS, slot));
}

export interface Opened {
  readonly plugin: PluginScheme;
  readonly engine: Engine;
  readonly told: (string | null)[];
  readonly clock: { ms: number };
  /** Scores anew by the fallback, then asks; the reason when it did not answer. */
  ask(): { reason: string | null; points: number[] };
}

/** Where they may die, many threads at a time of a busy machine take their time. */
export const DEADLINE_MS = 1000;

export async function opened(
  t: TestContext,
  code: { wasm: string } | { module: string; export: string },
): Promise<Opened> {
  const told: (string | null)[] = [];
  const clock = { ms: 0 };
  const spec: PluginSpec = { fallback: 'resident', deadlineMs: DEADLINE_MS, ...code };
  const tell = (error: string | null) => void told.push(error);
  const plugin = await openPluginScheme({ spec, tasks: 64, tell, now: () => clock.ms });
  t.after(() => plugin.close());
  const engine = await table();
  const ask = () => {
    scoreTasks(engine, { scheme: 'resident' });
    const { reason } = plugin.score(engine, MACHINE.totalPages);
    return { reason, points: pointsIn(engine) };
  };
  return { plugin, engine, told, clock, ask };
}
