// Levels by thresholds, how long one may sleep, any/all with a duration.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineThresholds } from '../../src/policy/levels.js';
import { memorySource } from '../../src/pressure/memory-source.js';
import { levelOf, type MemoryState, type PressureLevel } from '../../src/pressure/memory-state.js';
import { combineSources } from '../../src/pressure/pressure.js';
import { FakeSource, memory } from './support/pressure-fixtures.js';

const GIB = 2 ** 20; // in KiB
const level = (state: MemoryState) => levelOf(state, defineThresholds());

/** A source over a state that the test changes, and the sleep after reading it. */
function over(first: MemoryState) {
  const box = { state: first };
  const source = memorySource({ read: () => box.state });
  const sleep = (state: MemoryState, nowMs = 0) => {
    box.state = state;
    source.read(nowMs);
    return source.nextDelayMs();
  };
  return { box, source, sleep };
}

test('levels: at or below the bound, not just above it', () => {
  const of = (available: number) => level(memory(1_000_000, available));
  assert.deepEqual([150_001, 150_000, 100_001, 100_000, 50_001, 50_000, 0].map(of), [
    'none',
    'warn',
    'warn',
    'term',
    'term',
    'kill',
    'kill',
  ]);
});

test('levels: where swap counts both must be short, and a warning asks memory alone', () => {
  const of = (free: number) => level(memory(1_000_000, 40_000, { total: 1_000_000, free }));
  assert.deepEqual([1_000_000, 100_001, 100_000, 50_001, 50_000].map(of), ['warn', 'warn', 'term', 'term', 'kill']);
});

test('levels: tiny swap is as none, whether free or full', () => {
  assert.equal(level(memory(1_000_000, 90_000, { total: 10_000, free: 10_000 })), 'term');
  assert.equal(level(memory(1_000_000, 90_000, { total: 10_001, free: 10_001 })), 'warn');
});

test('levels: of percent and KiB the lower bound counts', () => {
  const term = { percent: 10, bytes: 5000 * 1024 };
  const thresholds = defineThresholds({
    warn: { available: term },
    term: { available: term },
    kill: { available: '100KiB' },
  });
  assert.equal(levelOf(memory(1_000_000, 5001), thresholds), 'none');
  assert.equal(levelOf(memory(1_000_000, 5000), thresholds), 'term');
  assert.equal(levelOf(memory(1_000_000, 100), thresholds), 'kill');
  assert.equal(levelOf(memory(20_000, 4000), thresholds), 'none', '10 % are 2000 here');
});

test('thresholds: what cannot be meant is refused by name', () => {
  const check = (available: object) => () => defineThresholds({ term: { available: available as { percent: 10 } } });
  assert.throws(check({}), /thresholds\.term\.available must be a share/);
  assert.throws(check({ percent: 101 }), /RangeError: thresholds\.term\.available must be .*, got 101/);
  assert.throws(check({ percent: Number.NaN }), RangeError);
  assert.throws(check({ percent: 10, bytes: 1.5 }), /got 1\.5/);
});

test('sleep: in proportion to the headroom, between its bounds', () => {
  const { sleep } = over(memory(8 * GIB, 0));
  const at = (percent: number) => Math.round(sleep(memory(8 * GIB, (8 * GIB * percent) / 100)));
  assert.equal(at(25), 105);
  assert.equal(at(35), 175);
  assert.equal(at(60), 438, 'beyond 25 percent half as much again');
  assert.equal(at(100), 858);
  assert.equal(at(11), 100, 'near the threshold, with 900 MiB left');
  assert.equal(at(5), 100, 'nothing more urgent can come');
});

test('glance: memory stands as it stood up to a sixteenth of what is above the threshold of warn', () => {
  const box = { available: 0, state: memory(1_000_000, 310_000) };
  const source = memorySource({ read: () => box.state, available: () => box.available });
  const glance = (available: number) => {
    box.available = available;
    return source.glance();
  };
  assert.equal(glance(310_000), false, 'nothing was read yet');
  source.read(0);
  // 160,000 above the threshold of warn.
  assert.deepEqual([500_000, 310_000, 300_000, 299_999, Number.NaN].map(glance), [true, true, true, false, false]);
  box.state = memory(1_000_000, 150_001);
  source.read(0);
  assert.deepEqual([150_001, 150_000].map(glance), [true, false], 'never past the threshold');
});

test('glance: says nothing while memory is short, where swap counts, and where it cannot be read', () => {
  const box = { state: memory(1_000_000, 100_000) };
  const source = memorySource({ read: () => box.state, available: () => 900_000 });
  source.read(0);
  assert.equal(source.glance(), false, 'warn');
  box.state = memory(1_000_000, 500_000, { total: 1_000_000, free: 900_000 });
  source.read(0);
  assert.equal(source.glance(), false, 'swap');
  box.state = memory(1_000_000, 500_000);
  source.read(0);
  assert.equal(source.glance(), true);
  const broken = memorySource({
    read: () => box.state,
    available() {
      throw new Error('EIO');
    },
  });
  broken.read(0);
  assert.equal(broken.glance(), false);
  const whole = memorySource({ read: () => box.state });
  whole.read(0);
  assert.equal(whole.glance(), false, 'tells nothing less than all');
});

test('sleep: a small domain fills sooner, so it is looked at oftener', () => {
  const { sleep } = over(memory(GIB, 0));
  const at = (percent: number) => Math.round(sleep(memory(GIB, (GIB * percent) / 100)));
  assert.equal(at(25), 38, '153 MiB at 4 GiB/s');
  assert.equal(at(12), 20);
  assert.equal(at(60), 125);
});

test('sleep: the rate seen last shortens it, for twice that rate', () => {
  const { sleep, source } = over(memory(8 * GIB, 4 * GIB));
  sleep(memory(8 * GIB, 6 * GIB), 0);
  // 3 GiB in 100 ms: at twice that, the 2.2 GiB above the threshold last 37 ms.
  assert.equal(Math.round(sleep(memory(8 * GIB, 3 * GIB), 100)), Math.round((2.2 * 1000) / 60));
  source.forget();
  assert.ok(sleep(memory(8 * GIB, 3 * GIB), 200) > 100);
});

test('sleep: free swap adds its own time', () => {
  const { sleep } = over(memory(GIB, 0));
  const dry = sleep(memory(GIB, 0.12 * GIB));
  const withSwap = sleep(memory(GIB, 0.12 * GIB, { total: GIB, free: 0.5 * GIB }));
  assert.ok(withSwap > dry + 200, `${dry} → ${withSwap}`);
});

test('memory: unreadable is no pressure, said by name, and asked again soon', () => {
  const source = memorySource({
    read() {
      throw Object.assign(new Error('gone'), { code: 'ENODEV' });
    },
  });
  assert.deepEqual(source.read(0), { level: 'none', error: 'ENODEV: gone' });
  assert.equal(source.state, null);
  assert.equal(source.nextDelayMs(), 100);
});

const fakes = (...levels: PressureLevel[]) =>
  levels.map((one, index) => {
    const fake = new FakeSource(`s${index}`);
    fake.answer = { level: one, error: null };
    return fake;
  });

test('combine: any is the most urgent, all the least', () => {
  assert.equal(combineSources(fakes('none', 'kill', 'warn'), { mode: 'any' }).read(0).level, 'kill');
  assert.equal(combineSources(fakes('term', 'kill', 'warn'), { mode: 'all' }).read(0).level, 'warn');
  assert.equal(combineSources(fakes('term', 'none'), { mode: 'all' }).read(0).level, 'none');
});

test('combine: one that cannot be read silences all, but not any', () => {
  const blind = (mode: 'any' | 'all', ...rest: PressureLevel[]) => {
    const sources = fakes('none', ...rest);
    sources[0]!.answer = { level: 'none', error: 'EIO: x' };
    return combineSources(sources, { mode }).read(0);
  };
  assert.deepEqual(blind('all', 'kill'), { level: 'none', error: 'EIO: x' });
  assert.deepEqual(blind('any', 'kill'), { level: 'kill', error: 'EIO: x' });
  assert.deepEqual(blind('any'), { level: 'none', error: 'EIO: x' });
});

test('combine: a level counts when it has stood for its time without a break, each on its own', () => {
  const [fake] = fakes('none');
  const source = combineSources([fake!], { mode: 'any', forMs: 500 });
  const at = (ms: number, now: PressureLevel) => {
    fake!.answer = { level: now, error: null };
    return source.read(ms).level;
  };
  assert.equal(at(0, 'term'), 'none');
  assert.equal(at(499, 'kill'), 'none');
  assert.equal(at(500, 'kill'), 'term', 'term for 500 ms, kill for 1 ms');
  assert.equal(at(998, 'kill'), 'term');
  assert.equal(at(999, 'kill'), 'kill');
  assert.equal(at(1000, 'none'), 'none');
  assert.equal(at(1001, 'kill'), 'none', 'broken, so it begins anew');
  source.forget();
  assert.equal(at(9000, 'kill'), 'none', 'of before a suspend');
  assert.equal(at(9500, 'kill'), 'kill');
  assert.equal(fake!.forgotten, 1);
});

test('combine: it wakes when a duration is over, and all lets the others rest while one is quiet', () => {
  const [a, b] = fakes('term', 'none');
  a!.delayMs = 20;
  b!.delayMs = 300;
  const any = combineSources([a!, b!], { mode: 'any', forMs: 50 });
  any.read(0);
  assert.equal(any.nextDelayMs(0), 20);
  a!.delayMs = 200;
  assert.equal(any.nextDelayMs(10), 40, 'ripe in 40 ms');
  const all = combineSources([a!, b!], { mode: 'all' });
  all.read(0);
  assert.equal(all.nextDelayMs(0), 300);
  b!.answer = { level: 'warn', error: null };
  all.read(1);
  assert.equal(all.nextDelayMs(1), 200);
});

test('combine: the list of wake-ups is one object until a part of it changes', () => {
  const [a, b] = fakes('none', 'none');
  const wakeUp = { fd: 7, events: 1, path: null, onReady: () => {} };
  const parts = [[wakeUp], [wakeUp, wakeUp]];
  a!.wakeUps = () => parts[0]!;
  b!.wakeUps = () => parts[1]!;
  const source = combineSources([a!, b!], { mode: 'any' });
  const first = source.wakeUps();
  assert.equal(first.length, 3);
  assert.equal(source.wakeUps(), first);
  parts[1] = [];
  assert.deepEqual(source.wakeUps(), [wakeUp]);
});

test('combine: refuses what cannot be meant; closes what it owns', () => {
  assert.throws(() => combineSources([], { mode: 'any' }), /sources must hold at least one, got 0/);
  assert.throws(() => combineSources(fakes('none'), { mode: 'any', forMs: -1 }), /forMs must be 0\.\.600000, got -1/);
  const [fake] = fakes('none');
  combineSources([fake!], { mode: 'any' }).close();
  assert.equal(fake!.closed, 1);
});
