import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { closeDomain } from '../../src/domains.js';
import type { BadnessError } from '../../src/errors.js';
import { Listener, listen } from '../../src/listeners.js';
import { releaseBuilds } from './support/builds.js';
import { openGuarded, SHORT } from './support/guarded-domains.js';
import { ManualClock, settle } from './support/manual-clock.js';

/** A wake-up that takes longer never comes. */
const LOST_MS = 60_000;
const code = (expected: string) => (error: unknown) => (error as BadnessError).code === expected;

for (const build of releaseBuilds) {
  const open = () => openGuarded(build.open(1).memory);

  describe(`waiting of listeners, ${build.name}`, () => {
    const wait =
      build.name === 'shared'
        ? (listener: Listener, ms?: number) => listener.wait(ms)
        : // One thread cannot sleep until it does something itself.
          (listener: Listener, ms?: number) => {
            assert.throws(() => listener.wait(ms), code('ENOTSUP'));
            return listener.peek().count + listener.peek().recovered > 0;
          };

    test('wait ends at once when there is something to read, else when the time is up', () => {
      const { engine, a, ofA } = open();
      const listener = listen(engine, a);
      assert.equal(wait(listener, 1), false);
      ofA.begin(SHORT);
      assert.equal(wait(listener), true);
      listener.read();
      ofA.recovered();
      assert.equal(wait(listener), true, 'a recovery is something to read');
      listener.read();
      assert.equal(wait(listener, 0), false);
      for (const ms of [-1, Number.NaN]) assert.throws(() => listener.wait(ms), RangeError);
      listener.close();
      assert.throws(() => listener.wait(1), code('EBADF'));
    });

    /** A clock that is only needed where there is no Atomics.waitAsync. */
    const listenTo = (engine: { memory: WebAssembly.Memory }, domain: number) => {
      const clock = new ManualClock();
      const listener = new Listener(engine, clock);
      listener.register(domain);
      /** Wakes come as tasks of their own, at once but not in this turn; none within seconds is none. */
      const resolved = async (waiting: Promise<boolean>) => {
        let answer: boolean | undefined;
        void waiting.then((value) => {
          answer = value;
        });
        for (const end = performance.now() + LOST_MS; answer === undefined && performance.now() < end; ) {
          await clock.advance(10);
        }
        return answer;
      };
      return { listener, resolved };
    };

    test('waitAsync resolves when a signal comes, at once when there is one', async () => {
      const { engine, b, ofA } = open();
      const { listener, resolved } = listenTo(engine, b);
      const waiting = listener.waitAsync();
      const second = listener.waitAsync(1e9);
      ofA.begin(SHORT);
      assert.equal(await resolved(waiting), true);
      assert.equal(await resolved(second), true, 'everybody who waits');
      assert.equal(await listener.waitAsync(), true);
      assert.equal(listener.read().count, 1);
      closeDomain(engine, b);
      assert.equal(await resolved(listener.waitAsync()), true);
      await assert.rejects(listener.waitAsync(-1), RangeError);
    });

    test('waitAsync resolves to false when the time is up, unregistered or closed; not when somebody read before', async () => {
      const { engine, a, ofA } = open();
      const { listener, resolved } = listenTo(engine, a);
      assert.equal(await resolved(listener.waitAsync(0)), false);
      assert.equal(await resolved(listener.waitAsync(1)), false);
      const read = listener.waitAsync();
      ofA.begin(SHORT);
      listener.read();
      await settle();
      ofA.recovered();
      assert.equal(await resolved(read), true);
      assert.deepEqual(listener.read(), { count: 0, recovered: 1 });
      const unregistered = listener.waitAsync();
      listener.unregister();
      assert.equal(await resolved(unregistered), false);
      const closed = listener.waitAsync();
      listener.close();
      assert.equal(await resolved(closed), false);
      await assert.rejects(listener.waitAsync(), code('EBADF'));
    });
  });
}
