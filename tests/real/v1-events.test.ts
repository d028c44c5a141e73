// The 2010 interface on the real kernel: who is signalled, when, and what a signal proves.
import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { cgroupOomKills, machineOomKills } from '../../src/linux/cgroup.js';
import { loadNative } from '../../src/linux/native.js';
import {
  eventControlText,
  openV1Event,
  type V1Event,
  type V1EventFile,
  V1OomReader,
} from '../../src/linux/v1-events.js';
import { V1OomSource } from '../../src/linux/v1-oom-source.js';
import { createWaiter } from '../../src/linux/wait.js';
import { PATIENCE_MS } from '../src/support/patience.js';
import { pause } from './support/count.js';
import { ended, MIB, makeGroup, startHog, startHolder, until, v1Top } from './support/hog.js';

const { native, reason } = await loadNative();
const found = v1Top();
const top = 'top' in found ? found.top : '';
const skip = 'skip' in found ? found.skip : native === null ? `no native calls: ${reason}` : false;
const options = { skip, timeout: 120_000 };
const LIMIT = 48 * MIB;

function listen(t: TestContext, dir: string, file: V1EventFile = 'memory.oom_control', argument = ''): V1Event {
  const event = openV1Event(native!, dir, file, argument);
  t.after(() => event.close());
  return event;
}

/** The next count, waited for with poll(2). */
async function signalled(t: TestContext, event: V1Event, withinMs = PATIENCE_MS): Promise<number> {
  const waiter = createWaiter(native);
  t.after(() => waiter.close());
  let count = 0;
  const onReady = () => {
    count = event.take();
  };
  await waiter.wait([{ fd: event.eventfd, events: 1, path: null, onReady }], withinMs);
  return count;
}

/** p without limit, a below it with one, b below a. */
function nested(t: TestContext, disable: 0 | 1 = 0) {
  const p = makeGroup(t, top, 'p');
  const a = makeGroup(t, p, 'a', { 'memory.limit_in_bytes': LIMIT, 'memory.oom_control': disable });
  const b = makeGroup(t, a, 'b');
  return { p, a, b };
}

test(
  'v1 events: an OOM signals every listener of its group and of those below, none above, once',
  options,
  async (t) => {
    const { p, a, b } = nested(t);
    const c = makeGroup(t, a, 'c');
    const listeners = [a, a, a, b, c, p].map((dir) => listen(t, dir));
    const reader = new V1OomReader(b);
    t.after(() => reader.close());
    const killsBefore = machineOomKills()!;
    assert.equal(await ended(startHog(t, b)), 'SIGKILL');
    const counts = listeners.map((event) => event.take());
    assert.deepEqual(counts, [1, 1, 1, 1, 1, 0]);
    assert.deepEqual(
      listeners.map((event) => event.take()),
      [0, 0, 0, 0, 0, 0],
      'taken is taken',
    );
    assert.equal(reader.look().meaning, 'oom', 'the victim was counted in b');
    assert.equal(reader.look().meaning, 'unproved', 'nothing since');
    assert.equal(cgroupOomKills(b, 1), 1);
    assert.equal(cgroupOomKills(p, 1), 1, 'summed over the groups below');
    assert.ok(machineOomKills()! > killsBefore);
  },
);

test(
  'v1 events: a limit of its own concerns that group alone; its sibling and parent hear nothing',
  options,
  async (t) => {
    const p = makeGroup(t, top, 'p');
    const a = makeGroup(t, p, 'a', { 'memory.limit_in_bytes': LIMIT });
    const listeners = [a, makeGroup(t, p, 's'), p].map((dir) => listen(t, dir));
    assert.equal(await ended(startHog(t, a)), 'SIGKILL');
    assert.deepEqual(
      listeners.map((event) => event.take()),
      [1, 0, 0],
    );
  },
);

test(
  'v1 events: registering under OOM signals at once, on the group and below it; SIGKILL ends it',
  options,
  async (t) => {
    const { p, a, b } = nested(t, 1);
    const source = new V1OomSource(a, native);
    t.after(() => source.close());
    assert.equal(source.note, null);
    assert.equal(source.read(0).level, 'none');
    const hog = startHog(t, b);
    const before = listen(t, a);
    assert.equal(await signalled(t, before), 1);
    const reader = new V1OomReader(a);
    t.after(() => reader.close());
    await until('under_oom', () => reader.read().underOom);
    const late = [a, b, p].map((dir) => listen(t, dir));
    assert.deepEqual(
      late.map((event) => event.take()),
      [1, 1, 0],
    );
    assert.equal(reader.look().meaning, 'oom');
    source.wakeUps()[0]!.onReady(1);
    assert.equal(source.read(1).level, 'kill', 'the kernel left it to us');
    await pause(100);
    assert.equal(before.take(), 0, 'no further signals while it waits');
    hog.kill('SIGKILL');
    await ended(hog);
    await until('no OOM any more', () => !reader.read().underOom);
    assert.equal(source.read(5000).level, 'none');
    assert.equal(cgroupOomKills(a, 1), 0, 'the kernel killed nobody');
  },
);

test('v1 events: without native calls the state is sampled, and says so', options, async (t) => {
  const { a, b } = nested(t, 1);
  const source = new V1OomSource(a, null);
  t.after(() => source.close());
  assert.equal(source.note, 'sampled: no native calls');
  assert.deepEqual(source.wakeUps(), []);
  assert.equal(source.nextDelayMs(0), 50);
  startHog(t, b);
  let now = 0;
  await until('kill', () => source.read(++now).level === 'kill');
});

test('v1 events: where the kernel kills, ours would be the second, so it warns', options, async (t) => {
  const { a } = nested(t);
  const source = new V1OomSource(a, native);
  t.after(() => source.close());
  assert.equal(await ended(startHog(t, a)), 'SIGKILL');
  for (const wakeUp of source.wakeUps()) wakeUp.onReady(1);
  assert.deepEqual(source.read(0), { level: 'warn', error: null });
  assert.equal(source.read(999).level, 'warn');
  assert.equal(source.read(1000).level, 'none');
});

test(
  'v1 events: a removed group signals too; the descriptor says so, even when one of that name is made again',
  options,
  async (t) => {
    const dir = join(top, `badness-gone-${process.pid}`);
    mkdirSync(dir);
    t.after(() => rmdirSync(dir));
    const event = listen(t, dir);
    const reader = new V1OomReader(dir);
    const source = new V1OomSource(dir, native);
    t.after(() => {
      reader.close();
      source.close();
    });
    rmdirSync(dir);
    assert.equal(await signalled(t, event), 1);
    mkdirSync(dir);
    assert.deepEqual(reader.look(), { meaning: 'removed', state: null });
    for (const wakeUp of source.wakeUps()) wakeUp.onReady(1);
    assert.deepEqual(source.read(0), { level: 'none', error: 'ENODEV: the cgroup was removed' });
    assert.deepEqual(source.wakeUps(), [], 'it would be ready for ever');
  },
);

test('v1 events: the root is refused by name, because it never fires', options, () => {
  assert.throws(() => openV1Event(native!, top, 'memory.oom_control'), { code: 'EROOTCGROUP' });
  assert.throws(() => new V1OomSource(top, native), { code: 'EROOTCGROUP' });
});

test('v1 events: what the kernel takes as a registration, and what it refuses', options, (t) => {
  const dir = makeGroup(t, top, 'text');
  const controlOf = (path: string): number => {
    const fd = openSync(path, 'r');
    t.after(() => closeSync(fd));
    return fd;
  };
  const control = controlOf(join(dir, 'memory.oom_control'));
  const eventfd = native!.eventfd();
  t.after(() => native!.close(eventfd));
  const answer = (text: string): string => {
    try {
      writeFileSync(join(dir, 'cgroup.event_control'), text);
      return 'ok';
    } catch (error) {
      return (error as NodeJS.ErrnoException).code!;
    }
  };
  const elsewhere = controlOf(join(makeGroup(t, top, 'other'), 'memory.oom_control'));
  const noControl = controlOf(join(dir, 'memory.stat'));
  const table: [text: string, expected: string][] = [
    [eventControlText(eventfd, control), 'ok'],
    [`${eventfd} ${control}\n`, 'ok'],
    [`  ${eventfd} ${control}`, 'ok'],
    [`${eventfd} ${control} whatever`, 'ok'],
    ['', 'ok'],
    [`${eventfd}  ${control}`, 'EINVAL'],
    [`${eventfd}\t${control}`, 'EINVAL'],
    [`${eventfd}`, 'EINVAL'],
    [`${eventfd} ${control}x`, 'EINVAL'],
    [`-${eventfd} ${control}`, 'EINVAL'],
    [`99999 ${control}`, 'EBADF'],
    [`${eventfd} 99999`, 'EBADF'],
    [`${control} ${control}`, 'EINVAL'],
    [`${eventfd} ${elsewhere}`, 'EINVAL'],
    [`${eventfd} ${noControl}`, 'EINVAL'],
  ];
  assert.deepEqual(
    table.map(([text]) => [text, answer(text)]),
    table,
  );
});

test(
  'v1 events: an eventfd that is registered twice counts twice; one that is closed is forgotten',
  options,
  async (t) => {
    const { a, b } = nested(t);
    const twice = listen(t, a);
    const control = openSync(join(a, 'memory.oom_control'), 'r');
    t.after(() => closeSync(control));
    writeFileSync(join(a, 'cgroup.event_control'), eventControlText(twice.eventfd, control));
    const closed = listen(t, a);
    const after = listen(t, a);
    closed.close();
    assert.equal(await ended(startHog(t, b)), 'SIGKILL');
    assert.deepEqual([twice.take(), after.take()], [2, 1]);
  },
);

test('v1 events: a usage threshold is signalled upwards and downwards', options, async (t) => {
  const dir = makeGroup(t, top, 'usage', { 'memory.limit_in_bytes': 128 * MIB });
  const event = listen(t, dir, 'memory.usage_in_bytes', String(30 * MIB));
  const holder = startHolder(t, 60, dir);
  assert.ok((await signalled(t, event)) >= 1, 'upwards');
  await pause(300);
  event.take();
  holder.kill('SIGKILL');
  await ended(holder);
  assert.ok((await signalled(t, event)) >= 1, 'downwards');
});

test('v1 events: an argument that the file does not take is refused', options, (t) => {
  const dir = makeGroup(t, top, 'argument');
  assert.throws(() => openV1Event(native!, dir, 'memory.usage_in_bytes', 'many'), { code: 'EINVAL' });
  assert.throws(() => openV1Event(native!, dir, 'memory.pressure_level', 'extreme'), { code: 'EINVAL' });
  listen(t, dir, 'memory.pressure_level', 'low,hierarchy');
});
