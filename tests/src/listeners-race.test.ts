import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { closeDomain, openDomain } from '../../src/domains.js';
import type { ListenerSignals } from '../../src/listener-cells.js';
import { type Listener, listen } from '../../src/listeners.js';
import { OomSignals } from '../../src/oom-signals.js';
import { releaseBuilds } from './support/builds.js';
import {
  A,
  Account,
  B,
  C,
  COUNTERS,
  FINISHED,
  LINES,
  type ListenerRaceData,
  RECOVERED,
  type Role,
  STARTED,
  SYSTEM,
  WEDGED_MS,
} from './support/listener-race.js';

const ROUNDS = 5000;
const PINGS = 5000;

function open() {
  const { memory } = releaseBuilds.find((build) => build.name === 'shared')!.open(1);
  const engine = { memory };
  for (const line of LINES) openDomain(engine, { kind: 'memcg', parent: line[1] ?? -1 });
  const signals = LINES.map((_, domain) => new OomSignals(engine, domain));
  signals[SYSTEM]!.watch();
  const cells = new SharedArrayBuffer(Account.bytes);
  const account = new Account(cells);
  const url = new URL('./listeners-race.worker.js', import.meta.url);
  const start = (role: Role, domain: number, rounds = 0) => {
    const workerData: ListenerRaceData = { memory, cells, role, domain, rounds };
    const worker = new Worker(url, { workerData });
    return new Promise<unknown>((resolve, reject) => {
      worker.once('exit', resolve).once('error', (error) => {
        // Ends the others too.
        account.count('wedged');
        reject(error);
      });
    });
  };
  return { engine, signals, start, account };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Hears with Atomics.waitAsync, on the event loop, until there was a signal after `done`. */
async function hear(listener: Listener, account: Account) {
  const sum = { count: 0, recovered: 0 };
  do {
    if (!(await listener.waitAsync(WEDGED_MS))) account.count('wedged');
    addTo(sum, listener.read());
  } while (account.counted('done') + account.counted('wedged') === 0);
  return sum;
}

function addTo(sum: ListenerSignals, { count, recovered }: ListenerSignals): ListenerSignals {
  sum.count += count;
  sum.recovered += recovered;
  return sum;
}

/** As long as nobody says stop: a domain that comes and goes. */
async function openAndClose(engine: { memory: WebAssembly.Memory }, account: Account): Promise<void> {
  while (account.counted('done') === 0) {
    openDomain(engine, { kind: 'subtree', parent: A });
    for (let turns = Math.random() * 5; turns > 0; turns--) await turn();
    closeDomain(engine, C);
    if (Math.random() < 0.5) await turn();
  }
}

describe('listeners: many threads over one memory', () => {
  test(`${ROUNDS} rounds: nothing lost, nothing added that was not signalled, nobody sleeps on`, async (t) => {
    const { engine, signals, start, account } = open();
    const waiters = [start('waiter', B), start('waiter', SYSTEM)];
    while (account.counted('ready') < waiters.length && account.counted('wedged') === 0) await turn();
    const onA = listen(engine, A);
    const heardByA = hear(onA, account);
    const closing = openAndClose(engine, account);
    const registrars = [start('registrar', A), start('registrar', A)];
    try {
      // Two in one domain: who comes second finds an event under way, or ends that of the other.
      await Promise.all([SYSTEM, A, A, B].map((domain) => start('signaler', domain, ROUNDS / 4)));
    } finally {
      account.count('done');
      await closing;
      account.add(SYSTEM, STARTED, 1);
      account.add(SYSTEM, FINISHED, Number(signals[SYSTEM]!.begin({ reason: 'memory', level: 'kill' })));
      signals.forEach((signal, domain) => {
        account.add(domain, RECOVERED, Number(signal.recovered()));
      });
      account.count('over');
    }
    assert.deepEqual(new Set(await Promise.all([...waiters, ...registrars])), new Set([0]));

    const seen = Object.fromEntries(COUNTERS.map((name) => [name, account.counted(name)]));
    t.diagnostic(JSON.stringify(seen));
    const { lost, extra, late, torn, wedged } = seen;
    assert.deepEqual({ lost, extra, late, torn, wedged }, { lost: 0, extra: 0, late: 0, torn: 0, wedged: 0 });
    const expected = (domain: number) => ({
      count: account.heard(domain, FINISHED),
      recovered: account.heard(domain, RECOVERED),
    });
    assert.deepEqual({ count: seen.heardByB, recovered: seen.recoveredByB }, expected(B));
    assert.deepEqual({ count: seen.heardBySystem, recovered: seen.recoveredBySystem }, expected(SYSTEM));
    assert.deepEqual(addTo(await heardByA, onA.read()), expected(A));
    assert.equal(expected(B).count, expected(B).recovered, 'every event is over');
    for (const happened of ['rivals', 'registered', 'refused', 'gone'] as const) {
      assert.ok(seen[happened]! > 0, `${happened} must have happened`);
    }
    assertRoomForAll(engine, 3);
  });

  test(`${PINGS} signals, each waited for before the next: no wake-up is lost`, async () => {
    const { start, account } = open();
    assert.deepEqual(await Promise.all([start('ponger', B, PINGS), start('pinger', A, PINGS)]), [0, 0]);
    const [wedged, lost, pongs] = (['wedged', 'lost', 'pongs'] as const).map((name) => account.counted(name));
    assert.deepEqual({ wedged, lost, pongs }, { wedged: 0, lost: 0, pongs: PINGS });
  });
});

/** Nobody but `left` listeners with a registration each has left a cell behind. */
function assertRoomForAll(engine: { memory: WebAssembly.Memory }, left: number): void {
  const listeners = Array.from({ length: 256 - left }, () => listen(engine, A));
  for (let more = 768 - 256; more > 0; more--) listeners[0]!.register(B);
  assert.throws(() => listen(engine, A), { code: 'E2BIG' });
  assert.throws(() => listeners[0]!.register(B), { code: 'E2BIG' });
}
