/** What needs no Linux, tried in every runtime, browsers too: one line of the README's table each. Nothing here reads a machine. */
import { loadTasks, openEngine, parseTaskLines, rankTasks } from '../../src/index.js';
import { definePolicy, parsePolicy } from '../../src/policy/index.js';
import { parseRecording, replayGuard } from '../../src/recording/index.js';
import { guardRegistered, TaskRegistry } from '../../src/registered/index.js';
import { readKernelLog } from '../../src/report/index.js';
import { parseScenario, simulate } from '../../src/simulate/index.js';
import assert from './assertions.js';
import { readFileSync } from './given-files.js';

/** Throws where it does not work. */
type Feature = () => Promise<void>;

async function rankGivenTasks(): Promise<void> {
  const { machine, tasks } = parseTaskLines(readFileSync('examples/evening.ndjson', 'utf8') as string);
  const engine = await openEngine();
  loadTasks(engine, tasks, machine);
  assert.equal(rankTasks(engine, { totalPages: machine.totalPages }).victim?.comm, 'leaky-tool');
}

async function readReport(): Promise<void> {
  const { events } = readKernelLog(readFileSync('tests/vectors/kmsg-6.18-memcg.txt', 'utf8') as string);
  assert.ok(events.length > 0, 'the log has an event');
}

async function readPolicy(): Promise<void> {
  const { policies } = await parsePolicy('version = 1\n[[rule]]\ncomm = "postgres"\nnever = true\n');
  assert.equal(policies[0]?.rules.length, 1);
}

async function replayRecording(): Promise<void> {
  const recording = parseRecording(readFileSync('tests/fixtures/limited-group.proc', 'utf8') as string);
  const { events } = await replayGuard(recording);
  assert.deepEqual(
    events.flatMap(({ event }) => (event.kind === 'round' ? [event.report.victim?.comm] : [])),
    ['task3'],
  );
}

async function playScenario(): Promise<void> {
  const text = readFileSync('scenarios/leaking-server.toml', 'utf8') as string;
  const { kills } = await simulate(await parseScenario(text), definePolicy());
  assert.ok(kills.length > 0, 'somebody is killed');
}

/** Two caches under a budget that both exceed: the larger one is asked. */
async function shedRegistered(): Promise<void> {
  const registry = new TaskRegistry();
  const held = { small: 2 ** 20, large: 30 * 2 ** 20 };
  for (const name of ['small', 'large'] as const) {
    const shed = () => {
      const given = held[name];
      held[name] = 0;
      return given;
    };
    registry.register({ name, memory: () => held[name], shed });
  }
  const policy = definePolicy({ domain: { registered: 'caches', budget: '24MiB' }, enforce: true });
  let shed = () => {};
  const done = new Promise<void>((resolve) => {
    shed = resolve;
  });
  const guard = await guardRegistered({ policy, registry, leastMs: 5, tell: ({ kind }) => kind === 'round' && shed() });
  const late = setTimeout(shed, 60_000);
  await done;
  clearTimeout(late);
  await guard.close();
  assert.deepEqual(held, { small: 2 ** 20, large: 0 });
}

const FEATURES: Record<string, Feature> = {
  'rank given tasks': rankGivenTasks,
  'kernel reports': readReport,
  'policy files': readPolicy,
  recordings: replayRecording,
  simulations: playScenario,
  'registered tasks': shedRegistered,
};

/** By feature: null where it works, else what happened. */
export async function tryFeatures(): Promise<Record<string, string | null>> {
  const results: Record<string, string | null> = {};
  for (const [name, attempt] of Object.entries(FEATURES)) {
    try {
      await attempt();
      results[name] = null;
    } catch (error) {
      results[name] = String(error);
    }
  }
  return results;
}
