import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { closeDomain, openDomain } from '../../src/domains.js';
import type { BadnessError } from '../../src/errors.js';
import { Listener, listen } from '../../src/listeners.js';
import { type OomCause, OomSignals } from '../../src/oom-signals.js';
import { releaseBuilds } from './support/builds.js';
import { openGuarded, SHORT, SYSTEM } from './support/guarded-domains.js';

const VICTIM = { kind: 'process', id: 4242, startTicks: 998_877 } as const;
const NOTHING = { count: 0, recovered: 0 };
const code = (expected: string) => (error: unknown) => (error as BadnessError).code === expected;

for (const build of releaseBuilds) {
  const open = () => openGuarded(build.open(1).memory);
  const counts = (...listeners: Listener[]) => listeners.map((listener) => listener.read().count);

  describe(`listeners, ${build.name}`, () => {
    test('S3.1: any number of listeners hear a domain; one that is registered twice counts twice', () => {
      const { engine, a, ofA } = open();
      const [once, other, twice] = [listen(engine, a), listen(engine, a), listen(engine, a)];
      twice.register(a);
      ofA.begin(SHORT);
      assert.deepEqual(counts(once, other, twice), [1, 1, 2]);
    });

    test('S3.1: one listener hears several domains', () => {
      const { engine, a, c, ofA, ofC } = open();
      const both = listen(engine, a);
      both.register(c);
      ofA.begin(SHORT);
      ofC.begin(SHORT);
      assert.deepEqual(both.read(), { count: 2, recovered: 0 });
    });

    test('S3.2: a signal adds 1, once for each event; who comes second does not signal', () => {
      const { engine, a, ofA } = open();
      const listener = listen(engine, a);
      assert.equal(ofA.begin(SHORT), true);
      assert.equal(ofA.begin(SHORT), false);
      assert.equal(new OomSignals(engine, a).begin(SHORT), false, 'nor another guard of the domain');
      assert.deepEqual(listener.peek(), { count: 1, recovered: 0 });
      assert.equal(ofA.recovered(), true);
      assert.equal(ofA.recovered(), false);
      assert.equal(ofA.begin(SHORT), true);
      assert.deepEqual(listener.read(), { count: 2, recovered: 1 }, 'unread signals add up');
    });

    test('S3.3: the domain and all below hear it, those above and beside never', () => {
      const { engine, a, b, c, ofSystem, ofA, ofB } = open();
      const all = [SYSTEM, a, b, c].map((domain) => listen(engine, domain));
      ofA.begin(SHORT);
      assert.deepEqual(counts(...all), [0, 1, 1, 0]);
      ofA.recovered();
      assert.deepEqual(
        all.map((listener) => listener.read().recovered),
        [0, 1, 1, 0],
      );
      ofB.begin(SHORT);
      assert.deepEqual(counts(...all), [0, 0, 1, 0]);
      ofSystem.begin(SHORT);
      assert.deepEqual(counts(...all), [1, 1, 1, 1], 'an event above is another event than one below');
    });

    test('S3.4: registering under OOM signals at once, on the domain and below, not above', () => {
      const { engine, a, b, c, ofA } = open();
      ofA.begin(SHORT);
      assert.deepEqual(counts(...[a, b, SYSTEM, c].map((domain) => listen(engine, domain))), [1, 1, 0, 0]);
      ofA.recovered();
      assert.deepEqual(counts(listen(engine, a)), [0]);
    });

    test('S3.5: unregistering takes every registration back, and needs none', () => {
      const { engine, a, c, ofA, ofC } = open();
      const listener = listen(engine, a);
      const other = listen(engine, a);
      listener.register(a);
      listener.register(c);
      ofC.begin(SHORT);
      listener.unregister();
      ofA.begin(SHORT);
      assert.deepEqual(listener.peek(), { count: 1, recovered: 0 }, 'what came before stays to be read');
      assert.deepEqual(counts(other), [1]);
      listener.unregister();
      listener.register(a);
      assert.deepEqual(listener.read(), { count: 2, recovered: 0 }, 'and it can register again');
    });

    test('S3.6: a listener that can never fire is refused by name; one guard above is enough', () => {
      const { engine, a, b, ofSystem, ofA, ofB } = open();
      for (const signals of [ofSystem, ofA, ofB]) signals.unwatch();
      assert.throws(() => listen(engine, b), code('ENODEV'));
      ofSystem.watch();
      listen(engine, b).close();
      ofSystem.unwatch();
      ofB.watch();
      assert.throws(() => listen(engine, a), code('ENODEV'));
      assert.throws(() => listen(engine, 17), code('ENODEV'));
      for (const number of [-1, 32, 0.5, Number.NaN]) assert.throws(() => listen(engine, number), RangeError);
      const listener = new Listener(engine);
      assert.throws(() => listener.register(17), code('ENODEV'));
      listener.register(b);
    });

    test('S3.7: closing a domain signals its listeners; a wake-up is no proof of OOM', () => {
      const { engine, a, b } = open();
      const [below, above] = [listen(engine, b), listen(engine, a)];
      below.register(a);
      below.register(b);
      closeDomain(engine, b);
      assert.deepEqual(below.read(), { count: 2, recovered: 0 });
      assert.deepEqual(below.gone, [b, b]);
      assert.equal(below.underOom, false);
      assert.equal(below.event, undefined);
      assert.deepEqual([above.read(), above.gone], [NOTHING, []]);
    });

    test('S3.7: whoever comes next under the number of a closed domain has other listeners', () => {
      const { engine, a, b, ofA, ofB } = open();
      const listener = listen(engine, b);
      ofB.begin(SHORT);
      closeDomain(engine, b);
      listener.read();
      assert.equal(openDomain(engine, { kind: 'subtree', parent: a }), b);
      const next = listen(engine, b);
      assert.deepEqual(next.read(), NOTHING, 'nor is the new one under OOM');
      assert.throws(() => ofB.begin(SHORT), code('ENODEV'));
      assert.throws(() => ofB.watch(), code('ENODEV'));
      assert.deepEqual([ofB.underOom, ofB.victim(VICTIM), ofB.recovered()], [false, false, false]);
      ofB.unwatch();
      ofA.begin(SHORT);
      assert.deepEqual(counts(next, listener), [1, 0]);
      listener.register(b);
      assert.deepEqual(listener.gone, [b]);
      assert.deepEqual(counts(listener), [1], 'a is under OOM');
    });

    test('S3.10: the event says why, who and whether it is over', () => {
      const { engine, b, ofA, ofB } = open();
      const listener = listen(engine, b);
      assert.equal(listener.event, undefined);
      ofA.begin({ reason: 'stall', level: 'term' });
      const event = { event: 1, domain: 1, reason: 'stall', level: 'term', victim: undefined, victims: 0, over: false };
      assert.deepEqual([listener.event, listener.underOom], [event, true]);

      assert.equal(ofA.victim(VICTIM), true);
      const registered = { kind: 'registered', id: 2 ** 53 - 5, startTicks: 2 ** 52 } as const;
      assert.deepEqual(listener.event, { ...event, victim: VICTIM, victims: 1 });
      assert.equal(ofA.victim(registered), true);
      ofA.recovered();
      assert.deepEqual(listener.event, { ...event, victim: registered, victims: 2, over: true });
      assert.equal(ofA.victim(VICTIM), false, 'no event under way');

      ofB.begin({ reason: 'limit', level: 'kill' });
      assert.deepEqual(listener.event, { ...event, event: 2, domain: b, reason: 'limit', level: 'kill' }, 'latest');
      ofA.begin(SHORT);
      assert.deepEqual(listener.event, { ...event, event: 3, reason: 'memory', level: 'kill' }, 'no old victim');
    });

    test('naming a victim signals nobody', () => {
      const { engine, a, ofA } = open();
      const listener = listen(engine, a);
      ofA.begin(SHORT);
      listener.read();
      ofA.victim(VICTIM);
      assert.deepEqual(listener.read(), NOTHING);
    });

    test('what makes no sense is refused before anything is signalled', () => {
      const { engine, a, ofA } = open();
      const listener = listen(engine, a);
      const bad = (cause: object) => () => ofA.begin({ ...SHORT, ...cause } as OomCause);
      assert.throws(bad({ reason: 'bored' }), RangeError);
      assert.throws(bad({ level: 'none' }), RangeError);
      assert.deepEqual([listener.peek(), ofA.underOom], [NOTHING, false]);
      ofA.begin(SHORT);
      for (const wrong of [{ kind: 'pig' }, { id: -1 }, { id: 2 ** 53 }, { startTicks: 0.5 }]) {
        assert.throws(() => ofA.victim({ ...VICTIM, ...wrong } as typeof VICTIM), RangeError);
      }
      assert.equal(listener.event?.victims, 0);
      assert.throws(() => new OomSignals(engine, 9), code('ENODEV'));
    });

    test('the last guard that goes ends its event; one of two does not', () => {
      const { engine, a, ofA } = open();
      const second = new OomSignals(engine, a);
      second.watch();
      second.watch();
      const listener = listen(engine, a);
      ofA.begin(SHORT);
      second.unwatch();
      second.unwatch();
      assert.deepEqual(listener.read(), { count: 1, recovered: 0 });
      ofA.unwatch();
      assert.deepEqual(listener.read(), { count: 0, recovered: 1 });
      assert.equal(listener.event?.over, true);
    });

    test('256 listeners and 768 registrations; those that were closed or unregistered make room', () => {
      const { engine, a, c, ofA } = open();
      const all = Array.from({ length: L.LISTENERS_MAX }, () => listen(engine, a));
      assert.throws(() => listen(engine, a), code('E2BIG'));
      for (const listener of all) for (const domain of [a, c]) listener.register(domain);
      assert.throws(() => all[7]!.register(a), code('E2BIG'));
      ofA.begin(SHORT);
      assert.deepEqual(new Set(counts(...all)), new Set([2]));
      all[3]!.close();
      assert.throws(() => all[3]!.read(), code('EBADF'));
      all[3]!.close();
      all[4]!.unregister();
      const next = listen(engine, a);
      for (let more = 0; more < 5; more++) next.register(a);
      assert.throws(() => next.register(a), code('E2BIG'));
      assert.deepEqual(counts(next, all[5]!), [6, 0], 'nothing is left of the listener that was there');
    });

    test('a listener that cannot register when it is made leaves nothing behind', () => {
      const { engine, a } = open();
      for (let tries = 0; tries < 2 * L.LISTENERS_MAX; tries++) assert.throws(() => listen(engine, 17), code('ENODEV'));
      listen(engine, a);
    });

    test('a counter that nobody reads stays at its most, and the other does not notice', () => {
      const { engine, a, ofA } = open();
      const listener = listen(engine, a);
      const most = 2 ** L.LISTENER_COUNT_BITS - 1;
      const words = new BigInt64Array(engine.memory.buffer, L.LISTENER_COUNTERS, 1);
      words[0]! += BigInt(most) - 1n;
      ofA.begin(SHORT);
      ofA.recovered();
      ofA.begin(SHORT);
      assert.deepEqual(listener.read(), { count: most, recovered: 1 });
      ofA.recovered();
      assert.deepEqual(listener.read(), { count: 0, recovered: 1 });
    });

    test('generations of a cell come round', () => {
      const { engine, a, ofA } = open();
      const words = new BigInt64Array(engine.memory.buffer, L.LISTENER_COUNTERS, 1);
      words[0] = (2n ** BigInt(L.LISTENER_GENERATION_BITS) - 2n) << BigInt(L.LISTENER_COUNT_BITS * 2);
      const last = listen(engine, a);
      ofA.begin(SHORT);
      last.unregister();
      assert.deepEqual(last.read(), { count: 1, recovered: 0 });
      last.register(a);
      assert.deepEqual(last.read(), { count: 1, recovered: 0 });
      last.close();
      assert.equal(words[0], 2n << BigInt(L.LISTENER_COUNT_BITS * 2));
    });

    test('facts whose writer died inside hold nobody up, and the next event sets them right', () => {
      const { engine, a, ofA } = open();
      const listener = listen(engine, a);
      const version = new Uint32Array(engine.memory.buffer, L.DOMAINS + a * L.DOMAIN_BYTES + L.OOM_VERSION, 1);
      version[0]! += 1;
      assert.deepEqual([listener.event], [undefined]);
      ofA.begin(SHORT);
      assert.equal(listener.event?.reason, 'memory');
      assert.equal(version[0]! % 2, 0);
    });
  });
}
