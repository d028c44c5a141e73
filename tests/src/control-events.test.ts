// Events over the control socket: everybody hears everything, those who do not keep up are dropped and told, and it has an end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controlEvents } from '../../src/control/client.js';
import type { GuardEvent } from '../../src/guard/guard-events.js';
import { get, reader, report, scene, within } from './support/control-scene.js';

const level = (atMs: number, words = 'w'): GuardEvent => ({ kind: 'level', atMs, level: 'warn', was: 'none', words });

/** The events in what a client has read. */
function eventsIn(text: string): { kind: string; data: Record<string, unknown> }[] {
  const found = text.matchAll(/^event: (\w+)\r?\ndata: (.*)$/gm);
  return Array.from(found, ([, kind, data]) => ({ kind: kind!, data: JSON.parse(data!) }));
}

test('events: every reader hears every event from when it began, with a number, as JSON', async (t) => {
  const { control, path } = await scene(t);
  const first = await reader(t, path);
  control.hear(level(1));
  const second = await reader(t, path);
  const third = await reader(t, path);
  control.hear({ kind: 'round', atMs: 2, level: 'kill', report: report(), repeated: 0 });
  control.hear({ kind: 'unreadable', atMs: 3, error: 'EACCES' });
  for (const client of [first, second, third]) await within(client.until(/event: unreadable\ndata: .*\n\n/));
  assert.deepEqual(
    eventsIn(first.text).map(({ kind }) => kind),
    ['level', 'round', 'unreadable'],
  );
  for (const client of [second, third]) {
    assert.deepEqual(
      eventsIn(client.text).map(({ kind }) => kind),
      ['round', 'unreadable'],
    );
  }
  const [told, round] = eventsIn(first.text).map(({ data }) => data);
  assert.deepEqual([told!.kind, told!.level, told!.was, told!.at_ms, told!.words], ['level', 'warn', 'none', 1, 'w']);
  assert.equal((round!.report as { outcome: string }).outcome, 'dry');
  assert.match(first.text, /\r\nContent-Type: text\/event-stream\r\n/);
  assert.deepEqual(first.text.match(/^id: \d+$/gm), ['id: 1', 'id: 2', 'id: 3']);
});

test('events: words with line ends stay within their line', async (t) => {
  const { control, path } = await scene(t);
  const client = await reader(t, path);
  control.hear(level(1, 'a\n\nevent: round\ndata: {}\n\n'));
  control.hear(level(2));
  await within(client.until(/"at_ms":2/));
  assert.deepEqual(
    eventsIn(client.text).map(({ kind }) => kind),
    ['level', 'level'],
  );
});

test('events: a reader that does not read is dropped and told so; the others go on, and nothing is kept for it', async (t) => {
  const { control, path } = await scene(t, { limits: { backlogBytes: 100_000 } });
  const slow = await reader(t, path);
  const quick = await reader(t, path);
  slow.socket.pause();
  const words = 'w'.repeat(10_000);
  let sent = 0;
  while (control.state.dropped === 0 && sent < 1000) {
    control.hear(level(++sent, words));
    await within(quick.until(new RegExp(`"at_ms":${sent},`)));
    // As far as it goes: only the last event matters to this test.
    quick.text = quick.text.slice(-100);
  }
  assert.equal(control.state.dropped, 1);
  // What a socket takes up in the kernel, the allowance, and one event.
  assert.ok(sent * 10_000 < 100_000 + 2_000_000, `${sent} events`);
  assert.equal(control.state.readers, 1);
  slow.socket.resume();
  await within(slow.ended);
  const events = eventsIn(slow.text);
  assert.equal(events.at(-1)!.kind, 'dropped');
  const levels = events.filter(({ kind }) => kind === 'level').map(({ data }) => data.at_ms);
  assert.deepEqual(
    levels,
    levels.map((_, index) => index + 1),
    'all of those before, in their order',
  );
  assert.equal(events.at(-1)!.data.missed_from, levels.length + 1);
  control.hear(level(5000));
  await within(quick.until(/"at_ms":5000,/));
});

test('events: those who neither read nor go are gone after a moment', async (t) => {
  const { control, path } = await scene(t, { limits: { backlogBytes: 1000 } });
  const slow = await reader(t, path);
  slow.socket.pause();
  while (control.state.dropped === 0) {
    control.hear(level(1, 'w'.repeat(50_000)));
    await new Promise(setImmediate);
  }
  while (control.state.connections > 0) await new Promise((later) => setTimeout(later, 20));
  assert.equal(control.state.readers, 0);
});

test('events: no more readers than there is room for; one that leaves makes room', async (t) => {
  const { path, control } = await scene(t, { limits: { readers: 2 } });
  const [one] = [await reader(t, path), await reader(t, path)];
  const refused = await get(path, '/events');
  assert.deepEqual([refused.status, refused.headers['x-badness-error']], [503, 'EUSERS']);
  one.socket.destroy();
  while (control.state.readers > 1) await new Promise(setImmediate);
  await reader(t, path);
});

test('events: at the end everybody is told, and the connection ends', async (t) => {
  const { control, path } = await scene(t);
  const clients = [await reader(t, path), await reader(t, path)];
  await within(control.close());
  for (const client of clients) {
    await within(client.ended);
    assert.equal(eventsIn(client.text).at(-1)?.kind, 'closed');
  }
});

test('events: the client yields them one by one, and ends when it is told to or the guard does', async (t) => {
  const { control, path } = await scene(t);
  const stop = new AbortController();
  const events = controlEvents(path, stop.signal);
  const next = events.next();
  while (control.state.readers === 0) await new Promise(setImmediate);
  control.hear(level(1));
  control.hear(level(2));
  assert.deepEqual((await within(next)).value?.kind, 'level');
  assert.equal(JSON.parse((await within(events.next())).value!.data).at_ms, 2);
  const last = events.next();
  stop.abort();
  assert.equal((await within(last)).done, true);
  while (control.state.readers > 0) await new Promise(setImmediate);
  const others = controlEvents(path);
  const closed = others.next();
  while (control.state.readers === 0) await new Promise(setImmediate);
  await control.close();
  assert.equal((await within(closed)).value?.kind, 'closed');
  assert.equal((await within(others.next())).done, true);
});
