// What an operator asks of a running guard over its control socket, and what is answered to what is not there.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Decisions } from '../../src/control/decisions.js';
import type { Asked } from '../../src/control/resources.js';
import { stateResources } from '../../src/control/state-resources.js';
import { BadnessError } from '../../src/errors.js';
import { ask, get, report, scene } from './support/control-scene.js';

describe('control: a guard that runs', () => {
  test('state has domain, pressure, counters, token, queue and facts', async (t) => {
    const { path, guard } = await scene(t, { version: '1.2.3' });
    guard.token = { operation: 7, thread: 0, deadlineMs: 9, victim: { id: 40, startTicks: 3 } };
    guard.names.set(5, 'five');
    await ask(path, 'PUT', '/oom', '11 22');
    const state = JSON.parse((await get(path, '/state')).body) as Record<string, unknown>;
    assert.deepEqual(
      [state.schema, state.version, state.pid, state.domain, state.level, state.words, state.queued, state.protected],
      [1, '1.2.3', process.pid, 'system', 'warn', 'much memory', 2, 1],
    );
    assert.deepEqual(state.gate, { kind: 'level' });
    assert.deepEqual(state.token, { operation: 7, thread: 0, deadline_ms: 9, victim: { id: 40, start_ticks: 3 } });
    assert.deepEqual(state.counters, { readings: 7, rounds: 3, released: 1, freed_bytes: 4096, others: 2 });
    assert.equal((state.memory as { available_kib: number }).available_kib, 400);
    assert.equal((state.facts as { signals: string }).signals, 'pidfd');
    assert.deepEqual(state.control, { connections: 1, readers: 0, requests: 2, dropped: 0 });
  });

  test('rank has the lines of badness rank --json, no more than asked for', async (t) => {
    const { path } = await scene(t);
    const lines = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { tgid?: number });
    const all = lines((await get(path, '/rank')).body);
    const { victim, tasks, eligible, total_pages: pages } = all[0] as unknown as Record<string, unknown>;
    assert.deepEqual([victim, tasks, eligible, pages], [40, 4, 3, 5000]);
    assert.deepEqual(
      all.slice(1).map(({ tgid }) => tgid),
      [40, 42, 41],
    );
    assert.equal(lines((await get(path, '/rank?limit=1')).body).length, 2);
    assert.equal(lines((await get(path, '/rank?limit=0')).body).length, 1);
    for (const limit of ['-1', '1001', 'x', '']) {
      const { body, headers } = await get(path, `/rank?limit=${limit}`);
      assert.match(String(headers['content-type']), /^application\/json/);
      assert.equal((JSON.parse(body) as { error: string }).error, 'EINVAL');
    }
  });

  test('rank says of each task what the rules did to it', async (t) => {
    const { path, guard } = await scene(t);
    const ranked = await guard.rank();
    const rules = [{ rule: 2, effect: 'times 3/1', points: 2100, assumed: false }];
    ranked.ranking.ranked[0]!.rules = rules;
    guard.rank = () => Promise.resolve(ranked);
    const [, hog, middle] = (await get(path, '/rank')).body.split('\n');
    assert.deepEqual(JSON.parse(hog!).rules, rules);
    assert.ok(!('rules' in JSON.parse(middle!)));
  });

  test('rank: those who are told the same ranking share its bytes', async (t) => {
    const { guard } = await scene(t);
    const ranked = await guard.rank();
    guard.rank = () => Promise.resolve(ranked);
    const state = { version: null, connections: 0, readers: 0, requests: 0, dropped: 0 };
    const { GET } = stateResources(guard, new Decisions(), () => state).find(({ name }) => name === '/rank')!.methods;
    const bodies = ['', 'limit=1'].map(async (query) => {
      const answer = await GET!({ query: new URLSearchParams(query) } as Asked);
      return answer!.body as Buffer;
    });
    const [all, one] = await Promise.all(bodies);
    assert.ok(all!.buffer === one!.buffer && all!.byteOffset === one!.byteOffset);
    assert.ok(all!.length > one!.length);
  });

  test('explain has the task and its terms, in the scheme of the guard or another; no such task is ESRCH', async (t) => {
    const { path } = await scene(t);
    const [summary, task, terms] = (await get(path, '/explain/42')).body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual([summary.victim, task.tgid, task.points, terms.scheme, terms.base], [40, 42, 300, 'badness', 300]);
    const other = (await get(path, '/explain/42?scheme=resident')).body.trimEnd().split('\n').at(-1)!;
    assert.equal(JSON.parse(other).scheme, 'resident');
    const refused = await get(path, '/explain/42?scheme=linux-1.0');
    assert.match(JSON.parse(refused.body).message, /^scheme must be one of linux-2\.4, .*, got "linux-1\.0"$/);
    assert.equal((await get(path, '/explain/9')).status, 404);
  });

  test('metrics are text for Prometheus, every name badness_*', async (t) => {
    const { path, guard } = await scene(t, { version: '1.2.3' });
    guard.domain = 'memcg /a"b\\c';
    const { body, headers } = await get(path, '/metrics');
    assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
    const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    assert.ok(samples.length >= 19);
    for (const sample of samples) assert.match(sample, /^badness_[a-z_]+(\{.*\})? [\d.e+]+$/);
    for (const sample of [
      'badness_info{domain="memcg /a\\"b\\\\c",scheme="badness",version="1.2.3"} 1',
      ...['badness_pressure_level 1', 'badness_enforce 0', 'badness_rounds_total 3', 'badness_freed_bytes_total 4096'],
      ...['badness_memory_available_bytes 409600', 'badness_swap_free_bytes 102400', 'badness_token_held 0'],
    ]) {
      assert.ok(samples.includes(sample), sample);
    }
    assert.match(body, /^# TYPE badness_rounds_total counter$/m);
    // Asked again it does not register anything twice.
    assert.equal((await get(path, '/metrics')).status, 200);
  });

  test('a round is carried out and its report comes back; while one is under way another is EBUSY', async (t) => {
    const { path, guard } = await scene(t);
    const { status, body } = await ask(path, 'POST', '/round');
    assert.deepEqual([status, JSON.parse(body).outcome, guard.rounds], [200, 'dry', 1]);
    guard.onRound = () => Promise.reject(new BadnessError('EBUSY', 'a round is under way; wait for its end'));
    const busy = await ask(path, 'POST', '/round');
    assert.equal(busy.status, 409);
    assert.deepEqual(JSON.parse(busy.body), { error: 'EBUSY', message: 'a round is under way; wait for its end' });
  });

  test('decisions are the last rounds that were told, whole, oldest first', async (t) => {
    const { path, control } = await scene(t);
    const round = (atMs: number) =>
      ({ kind: 'round', atMs, level: 'term', report: report({ totalMs: atMs }), repeated: 0 }) as const;
    assert.equal((await get(path, '/decisions')).body, '');
    control.hear({ kind: 'level', atMs: 1, level: 'warn', was: 'none', words: 'w' });
    for (let atMs = 1; atMs <= 70; atMs++) control.hear(round(atMs));
    const told = async (query: string) =>
      (await get(path, `/decisions${query}`)).body
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const all = await told('');
    assert.deepEqual([all.length, all[0]!.at_ms, all[63]!.at_ms], [64, 7, 70]);
    assert.deepEqual(
      (await told('?last=2')).map(({ at_ms: at }) => at),
      [69, 70],
    );
    const { kind, level, time, report: whole } = all[0] as { [key: string]: unknown; report: { outcome: string } };
    assert.deepEqual([kind, level, whole.outcome], ['round', 'term', 'dry']);
    assert.ok(Math.abs(Date.parse(time as string) - Date.now()) < 60_000);
    assert.equal((await get(path, '/decisions?last=65')).status, 400);
  });

  test('decisions hold no more than a mebibyte, and at least the last', async (t) => {
    const { path, control } = await scene(t);
    const passedOver = Array.from({ length: 4096 }, (_, tgid) => ({ tgid, reason: 'not there' as const }));
    for (let atMs = 1; atMs <= 20; atMs++) {
      control.hear({ kind: 'round', atMs, level: 'kill', report: report({ passedOver }), repeated: 0 });
    }
    const { body } = await get(path, '/decisions');
    assert.ok(body.length > 500_000 && body.length <= 1_048_576, `${body.length}`);
    assert.equal(JSON.parse(body.trimEnd().split('\n').at(-1)!).at_ms, 20);
  });
});

describe('control: what is not there', () => {
  test('GET / lists what there is', async (t) => {
    const { path } = await scene(t);
    const { body } = await get(path, '/');
    for (const line of ['GET, PUT /oom', 'POST     /round', 'GET      /PID/task/TID/oom', 'GET      /events']) {
      assert.ok(body.split('\n').includes(line), line);
    }
  });

  test('another resource is ENOENT, another method EOPNOTSUPP with those that there are', async (t) => {
    const { path } = await scene(t);
    const { status, body } = await get(path, '/policy');
    assert.deepEqual([status, body], [404, 'ENOENT: /policy is nothing that a guard has; GET / lists what is\n']);
    for (const [method, resource, allow] of [
      ['DELETE', '/oom', 'GET, PUT'],
      ['GET', '/round', 'POST'],
      ['PUT', '/oom_kill_protection/ctl', 'POST'],
    ] as const) {
      const answer = await ask(path, method, resource);
      assert.deepEqual([answer.status, answer.headers.allow], [405, allow]);
      assert.equal(answer.headers['x-badness-error'], 'EOPNOTSUPP');
    }
  });

  test('what the guard itself breaks at is told as EIO, and the server goes on', async (t) => {
    const { path, guard } = await scene(t);
    guard.onRank = () => Promise.reject(new Error('broken'));
    const { status, body } = await get(path, '/rank');
    assert.deepEqual([status, JSON.parse(body)], [500, { error: 'EIO', message: 'broken' }]);
    assert.equal((await get(path, '/oom')).body, '\n');
  });
});
