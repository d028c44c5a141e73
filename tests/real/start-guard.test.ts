// An agent that starts leaking tools, as an ordinary user without any cgroup, guarded by its own library: the tool dies, the agent lives.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { PATIENCE_MS } from '../src/support/patience.js';
import { isAlive } from '../src/support/process-state.js';
import { hurry, realCount } from './support/count.js';
import { realBinary } from './support/hostile-binary.js';

const ROUNDS = 20;
const BUDGET_MIB = 220;
const NOBODY = 65534;
const orphans = realBinary('orphans');
const skip = 'skip' in orphans ? orphans.skip : false;

/** What every agent begins with; `say` is a line to the test. */
const PRELUDE = `
  import { spawn } from 'node:child_process';
  import { startGuard } from ${JSON.stringify(pathToFileURL(resolve('dist/linux.js')).href)};
  const say = (line) => process.stdout.write(JSON.stringify(line) + '\\n');
  const orphans = ${JSON.stringify('path' in orphans ? orphans.path : '')};
  const guard = await startGuard({
    domain: { descendantsOf: process.pid, budget: '${BUDGET_MIB}MiB' }, enforce: true, keepAlive: true,
  });
  guard.on('round', ({ report }) =>
    say({ outcome: report.outcome, victim: report.victim?.tgid ?? null, freedMib: (report.freedBytes ?? 0) / 2 ** 20 }));
  guard.on('failed', ({ error }) => say({ failed: error }));
  const tool = (...args) => spawn(orphans, args, { stdio: ['ignore', 'inherit', 'inherit'] });
`;

/** The leak begins when the other one has said its pid. */
const QUIET_THEN_LEAK = `
  const quiet = spawn(orphans, ['session', '30', '1'], { stdio: ['ignore', 'pipe', 'inherit'] });
  quiet.stdout.once('data', (line) => { process.stdout.write(line); tool('leak', '256', '1'); });`;

interface Agent {
  readonly child: ChildProcess;
  /** The next line that it, or a tool of it, prints: an object, or the pid of an orphan. */
  next(): Promise<Record<string, unknown> | number>;
  readonly lines: (Record<string, unknown> | number)[];
}

/** Starts an agent as a plain user; ended with all its tools after the test, which end by themselves after a minute. */
function startAgent(t: TestContext, script: string, flags: string[] = []): Agent {
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const args = [...flags, '--input-type=module', '-e', PRELUDE + script];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: '/', ...user });
  t.after(() => child.kill('SIGKILL'));
  // Before it has any threads but its first, of which they have it.
  hurry(child.pid!);
  const lines: Agent['lines'] = [];
  let heard = () => {};
  createInterface({ input: child.stdout! }).on('line', (line) => {
    lines.push(JSON.parse(line));
    heard();
  });
  let taken = 0;
  const next = async () => {
    const deadline = Date.now() + PATIENCE_MS;
    while (lines.length <= taken) {
      assert.ok(
        Date.now() < deadline && child.exitCode === null,
        `the agent says no more than ${JSON.stringify(lines)}`,
      );
      await new Promise<void>((wake) => {
        heard = wake;
        setTimeout(wake, 100);
      });
    }
    return lines[taken++]!;
  };
  return { child, next, lines };
}

const alive = (pid: unknown) => isAlive(Number(pid));

function endAll(agent: Agent): void {
  for (const line of agent.lines) if (typeof line === 'number' && alive(line)) process.kill(line, 'SIGKILL');
  agent.child.kill('SIGKILL');
}

test('startGuard: a tool that was forked twice and made a session leaks; it dies, the agent and a quiet tool live', {
  skip,
}, async (t) => {
  const rounds = realCount(ROUNDS);
  const freed: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const agent = startAgent(t, QUIET_THEN_LEAK);
    const quiet = await agent.next();
    const leak = await agent.next();
    const report = (await agent.next()) as Record<string, unknown>;
    assert.equal(report.outcome, 'released', JSON.stringify(report));
    assert.equal(report.victim, leak);
    assert.deepEqual([alive(report.victim), alive(quiet), agent.child.exitCode], [false, true, null]);
    freed.push(Number(report.freedMib));
    endAll(agent);
  }
  t.diagnostic(
    `${rounds} of ${rounds}; given back ${Math.round(Math.min(...freed))} to ${Math.round(Math.max(...freed))} MiB each`,
  );
});

test('startGuard: the guard kills within its usual time while the event loop of the agent is blocked', {
  skip,
}, async (t) => {
  const blockedMs = 10_000;
  const agent = startAgent(
    t,
    `const child = tool('hold', '5');
     setTimeout(() => { tool('leak', '256', '1'); say({ blocked: Date.now() });
       const end = Date.now() + ${blockedMs}; while (Date.now() < end); say({ freed: 'loop' }); }, 300);`,
  );
  // A leak grows by 400 MiB a second: it stands at the budget after half a second.
  const end = Date.now() + blockedMs + PATIENCE_MS;
  while (!agent.lines.some((line) => typeof line === 'object' && 'outcome' in line) && Date.now() < end) {
    await new Promise((later) => setTimeout(later, 50));
  }
  const objects = agent.lines.filter((line) => typeof line === 'object');
  const order = objects.map((line) => Object.keys(line)[0]);
  t.diagnostic(JSON.stringify(agent.lines));
  assert.deepEqual(order.slice(0, 3), ['blocked', 'freed', 'outcome'], 'told once the loop is free');
  const told = objects.find((line) => 'outcome' in line)!;
  assert.equal(told.outcome, 'released');
  assert.ok(Number(told.freedMib) < BUDGET_MIB, 'killed at its usual size, not ten seconds later');
  endAll(agent);
});

test('startGuard: relieve of the application calls the kill off', { skip }, async (t) => {
  const agent = startAgent(
    t,
    `let cache = Buffer.alloc(120 * 2 ** 20, 1);
     guard.register({ name: 'cache', relieve: ({ neededPages }) => {
       say({ neededPages }); const freedPages = cache ? cache.length / 4096 : 0; cache = null; global.gc(); return { freedPages };
     } });
     tool('session', '50', '1');`,
    ['--expose-gc'],
  );
  const found: Record<string, unknown> = {};
  while (!('outcome' in found)) Object.assign(found, await agent.next());
  t.diagnostic(JSON.stringify(agent.lines));
  assert.ok(Number(found.neededPages) > 0);
  assert.equal(found.outcome, 'called-off');
  endAll(agent);
});

test('startGuard: a reaction of the application takes the place of the kill, and can kill', { skip }, async (t) => {
  const agent = startAgent(
    t,
    `guard.register({ name: 'mine', react: async ({ victim, kill }) => {
       say({ asked: victim.tgid }); const { outcome } = await kill(); say({ acted: outcome }); return { stop: true };
     } });
     setTimeout(() => tool('leak', '256', '1'), 200);`,
  );
  const found: Record<string, unknown> = {};
  while (!('outcome' in found)) Object.assign(found, await agent.next());
  assert.deepEqual([found.acted, found.outcome, found.asked], ['released', 'released', found.victim]);
  endAll(agent);
});
