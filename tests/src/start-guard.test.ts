// The guard in a worker, as it is shipped (dist/linux.js): events, notifiers by message, the end. Dry: nobody is signalled.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import type { EventOf, StartGuardOptions } from '../../src/linux/start-guard.js';
import { Listener } from '../../src/listeners.js';
import { within } from './support/control-scene.js';
import { PATIENCE_MS } from './support/patience.js';
import { entry, SHORT, skip, startGuard } from './support/shipped-guard.js';

/** Closed after the test, however that ends: one that keeps the process alive would keep the whole run. */
async function start(t: TestContext, options: StartGuardOptions) {
  const guard = await startGuard({ keepAlive: true, ...options });
  t.after(() => guard.close());
  return guard;
}

/** The first round that came to a choice: others of this machine come and go. */
function firstChoice(guard: Awaited<ReturnType<typeof startGuard>>): Promise<EventOf<'round'>> {
  return within(
    new Promise((found) => {
      const off = guard.on('round', (event) => {
        if (event.report.victim === null) return;
        off();
        found(event);
      });
    }),
  );
}

test('startGuard: says what it guards, tells its rounds, and ends', { skip }, async (t) => {
  const guard = await start(t, SHORT);
  const { report, level } = await firstChoice(guard);
  assert.deepEqual([level, report.enforce, report.domain], ['term', false, 'system']);
  assert.notEqual(report.victim!.tgid, process.pid, 'not the application');
  assert.deepEqual([guard.facts.domain, guard.facts.enforce], ['system', false]);
  assert.ok(guard.readings.latest()!.availableKib > 0);
  await within(guard.close());
  await guard.close();
});

test('startGuard: it is closed at the end of its block', { skip }, async (t) => {
  let ended = 0;
  const guard = await start(t, SHORT);
  guard.on('failed', () => ended++);
  await guard[Symbol.asyncDispose]();
  assert.equal(ended, 0, 'closed is not broken');
});

test('startGuard: a policy that cannot be meant and a domain that is not there are refused by name', {
  skip,
}, async () => {
  await assert.rejects(startGuard({ domain: 'sytem' as 'system' }), RangeError);
  await assert.rejects(startGuard({ domain: { memcg: '/no/such/group' } }), { code: 'EDOMAIN' });
  await assert.rejects(startGuard({ domain: { numaNode: 1000 } }), { code: 'EDOMAIN', message: /NUMA node 1000/ });
});

test('startGuard: it watches while the event loop of the application is blocked', { skip }, async (t) => {
  const guard = await start(t, { ...SHORT, mostMs: 50 });
  await firstChoice(guard);
  const before = guard.readings.readings;
  const read = () => guard.readings.readings - before;
  for (const end = Date.now() + PATIENCE_MS; read() < 5 && Date.now() < end; );
  assert.ok(read() >= 5, `${read()} readings`);
  await guard.close();
});

test('startGuard: it does not keep the process alive, unless asked', { skip }, async () => {
  const run = (more: string) =>
    promisify(execFile)(
      process.execPath,
      [
        ...['--input-type=module', '-e'],
        `import { startGuard } from ${JSON.stringify(entry)};
       const guard = await startGuard({ domain: 'system', ${more} });
       console.log('watching');
       setTimeout(() => console.log('kept'), ${PATIENCE_MS}).unref();`,
      ],
      { timeout: PATIENCE_MS },
    );
  assert.equal((await run('')).stdout, 'watching\n');
  await assert.rejects(
    promisify(execFile)(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { startGuard } from ${JSON.stringify(entry)}; await startGuard({ domain: 'system', keepAlive: true });`,
      ],
      { timeout: 1500 },
    ),
    { killed: true },
  );
});

test('startGuard: warn of the application is called by message; a gate decides about failed allocations', {
  skip,
}, async (t) => {
  const guard = await start(t, { domain: 'system', gate: { kind: 'rate', calls: 3, warmUpMs: 0 } });
  assert.throws(() => guard.unregister('nobody'), { code: 'ENOENT' });
  const heard = new Promise((hear) => {
    guard.register({ name: 'mine', warn: ({ level }) => hear(level) });
  });
  assert.throws(() => guard.register({ name: 'mine', warn: () => {} }), { code: 'EEXIST' });
  const choice = firstChoice(guard);
  const answers = [1, 2, 3, 4].map(() => guard.allocationFailed());
  assert.deepEqual(answers.slice(0, 3), [false, false, false], 'the first begins the count');
  assert.equal(answers[3], true);
  const { report } = await choice;
  assert.equal(await within(heard), 'kill');
  assert.equal(report.outcome, 'dry');
  assert.equal(guard.allocationFailed(), false, 'cooldown');
  await guard.close();
});

test('startGuard: a listener of the application hears the shortage that the guard found, in shared memory', {
  skip,
}, async (t) => {
  const guard = await start(t, { domain: 'system' });
  const listener = new Listener(guard.engine);
  listener.register(guard.domain);
  assert.equal(guard.allocationFailed(), true);
  assert.equal(await listener.waitAsync(PATIENCE_MS), true);
  assert.deepEqual([listener.read().count, listener.event?.reason, listener.event?.level], [1, 'allocation', 'kill']);
  await guard.close();
  listener.close();
});

test('startGuard: what the application says stands beside what is read, until it says otherwise', {
  skip,
}, async (t) => {
  const guard = await start(t, { domain: 'system' });
  assert.throws(() => guard.report('much' as 'kill'), RangeError);
  const levels: string[] = [];
  const calm = within(
    new Promise<void>((done) => {
      guard.on('level', ({ level }) => {
        levels.push(level);
        if (level === 'none') done();
      });
    }),
  );
  const choice = firstChoice(guard);
  guard.report('term');
  assert.equal((await choice).level, 'term');
  guard.report('none');
  await calm;
  assert.deepEqual(levels, ['term', 'none']);
});
