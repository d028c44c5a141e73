// What needs Linux, tried live by an agent in a runtime for servers, on the installed package: one line of the README's table each.
// Prints one line of JSON: by feature null where it works, else what happened; and how.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { openEngine, rankTasks } from 'badness';
import { askControl, loadNative, readTasks, startGuard, startRanker } from 'badness/linux';
import { definePolicy } from 'badness/policy';
import { guardRegistered, TaskRegistry } from 'badness/registered';
import { registerWorker } from 'badness/workers';

const BUDGET = '176MiB';
const LATE_MS = 60_000;
const details = {};
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** How this runtime starts a program. */
const command = process.versions.deno ? [process.execPath, 'run', '-A'] : [process.execPath];
const start = (file, args = [], stdio = 'ignore') => spawn(command[0], [...command.slice(1), file, ...args], { stdio });

async function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(reject, LATE_MS, new Error(`${what}: nothing in ${LATE_MS / 1000} s`));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A child leaks beyond the budget of the agent: it dies, and the round says that it was the one. */
async function guardSubtree(native) {
  const domain = { descendantsOf: process.pid, budget: BUDGET };
  const guard = await startGuard({ domain, enforce: true, keepAlive: true, native });
  const failed = [];
  guard.on('failed', ({ error }) => failed.push(error));
  details[`signals, native ${native}`] = `${guard.facts.signals}, waits with ${guard.facts.waits}`;
  const released = new Promise((resolve) => {
    guard.on('round', ({ report }) => report.outcome === 'released' && resolve(report.victim.tgid));
  });
  const child = start(here('./leak.mjs'));
  const ended = once(child, 'exit');
  try {
    assert.equal(await within(released, 'a round'), child.pid, 'the child is the victim');
    const [, signal] = await within(ended, 'the end of the child');
    assert.match(String(signal), /^SIG(TERM|KILL)$/);
  } finally {
    child.kill('SIGKILL');
    await within(guard.close(), 'the end of the guard');
  }
  assert.deepEqual(failed, []);
}

const FEATURES = {
  async 'rank this machine'() {
    const engine = await openEngine();
    readTasks(engine);
    const { ranked } = rankTasks(engine);
    assert.ok(
      ranked.some(({ tgid }) => tgid === process.pid),
      'this process is ranked',
    );
  },
  async 'native calls'() {
    const { native, reason } = await loadNative();
    assert.ok(native, reason);
    const pidfd = native.pidfdOpen(process.pid);
    native.pidfdSendSignal(pidfd, 0);
    native.close(pidfd);
    details['native calls'] = `koffi, ${native.library}`;
  },
  'guard with a subtree budget': () => guardSubtree('auto'),
  'the same without native calls': () => guardSubtree('none'),
  async 'guarded while the event loop is blocked'() {
    const guard = await startGuard({ domain: 'system', mostMs: 50 });
    const before = guard.readings.readings;
    const during = () => guard.readings.readings - before;
    for (const end = Date.now() + LATE_MS; during() < 5 && Date.now() < end; );
    const readings = during();
    await guard.close();
    assert.ok(readings >= 5, `${readings} readings while it was blocked`);
  },
  async 'ranker thread'() {
    const engine = await openEngine();
    const ranker = await startRanker(engine, { policy: definePolicy({ domain: 'system' }), everyMs: 50 });
    assert.ok(ranker.counters.queued > 0, JSON.stringify(ranker.counters));
    await within(ranker.close(), 'the end of the ranker');
  },
  async 'worker threads as registered tasks'() {
    const registry = new TaskRegistry();
    const policy = definePolicy({ domain: { registered: 'workers', budget: '64MiB' }, enforce: true });
    const guard = await guardRegistered({ policy, registry, leastMs: 20, keepAlive: true });
    const worker = new Worker(new URL('./hoard.mjs', import.meta.url));
    const ended = once(worker, 'exit');
    registerWorker(registry, worker, { name: 'hoard', everyMs: 20 });
    try {
      await within(ended, 'the end of the worker');
    } finally {
      await guard.close();
      await worker.terminate();
    }
  },
  async 'command line and control socket'() {
    await withControlledGuard(async (path) => {
      await within(askControl(path, { method: 'PUT', resource: '/oom', body: `${process.pid}\n` }), 'a written queue');
      const { body } = await within(askControl(path, { resource: '/oom' }), 'the queue');
      assert.equal(body, `${process.pid}\n`);
    });
  },
  async 'control socket: knows who asks'() {
    await withControlledGuard(async (path) => {
      const resource = '/oom_kill_protection/self';
      await within(askControl(path, { method: 'PUT', resource, body: '1' }), 'protection of oneself');
      const { body } = await within(askControl(path, { resource }), 'whether one is protected');
      assert.equal(body.trim(), '1');
    });
  },
};

/** A dry guard on the command line of this runtime, with a control socket. */
async function withControlledGuard(use) {
  const path = here('./control.sock');
  const args = ['guard', '--control', path, '--control-self'];
  const guard = start(here('./node_modules/badness/dist/cli.js'), args, ['ignore', 'ignore', 'pipe']);
  const words = [];
  guard.stderr.on('data', (part) => words.push(part));
  const exit = once(guard, 'exit');
  try {
    await answering(path).catch((error) => {
      throw new Error(`${error.message}; the guard says: ${words.join('')}`);
    });
    await use(path);
  } finally {
    guard.kill('SIGTERM');
    await within(exit, 'the end of the guard');
  }
}

async function answering(path) {
  for (const end = Date.now() + LATE_MS; Date.now() < end; ) {
    const answer = await askControl(path, { resource: '/state', timeoutMs: 1000 }).catch(() => null);
    if (answer) return;
    await new Promise((later) => setTimeout(later, 50));
  }
  throw new Error(`no answer on the socket in ${LATE_MS / 1000} s`);
}

if (process.versions.deno) {
  FEATURES['as npm:badness'] = async () => {
    const { openEngine: open } = await import('npm:badness');
    assert.equal((await open()).build, 'shared');
  };
  FEATURES['the agent of examples/deno-agent'] = async () => {
    const agent = start(here('./deno-agent/agent.ts'), [], ['ignore', 'pipe', 'inherit']);
    let said = '';
    agent.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    const [code] = await within(once(agent, 'close'), 'the end of the agent');
    const words = 'words ended with 0: 7 words\n';
    assert.match(said, new RegExp(`^${words}leak took too much memory and was ended: \\d+ MiB came back\n${words}$`));
    assert.equal(code, 0);
  };
}

const features = {};
for (const [name, attempt] of Object.entries(FEATURES)) {
  try {
    await attempt();
    features[name] = null;
  } catch (error) {
    features[name] = String(error?.stack ?? error);
  }
}
console.log(JSON.stringify({ features, details }));
