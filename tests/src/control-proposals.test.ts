// The files of the proposals as resources: what goes in and what comes back, byte for byte, and that an error changes nothing.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { monotonicMs } from '../../src/linux/linux-world.js';
import { ask, get, scene } from './support/control-scene.js';

interface QueueRow {
  input: string;
  recommended: { queue: number[]; read: string } | { error: string };
}

interface CommandRow {
  input: string;
  recommended: { effect: { pid: number; protect: boolean } } | { error: string };
}

const rowsOf = <T>(file: string) => (JSON.parse(readFileSync(`tests/vectors/${file}`, 'utf8')) as { rows: T[] }).rows;
const queueRows = rowsOf<QueueRow>('procoom-parse.json');
const commandRows = rowsOf<CommandRow>('protect-ctl-parse.json');
const CTL = '/oom_kill_protection/ctl';

describe('control: the candidate queue', () => {
  test('every row of the vectors of 2005, as recommended: list and text, or error and the old list stays', async (t) => {
    const { path, guard } = await scene(t);
    assert.equal(queueRows.length, 39);
    for (const { input, recommended } of queueRows) {
      await ask(path, 'PUT', '/oom', '77 88');
      const put = await ask(path, 'PUT', '/oom', input);
      const { body, headers } = await get(path, '/oom');
      if ('error' in recommended) {
        assert.deepEqual([put.status, put.headers['x-badness-error']], [400, recommended.error], JSON.stringify(input));
        assert.match(put.body, new RegExp(`^${recommended.error}: [^\n]+\n$`));
        assert.equal(body, '77 88\n');
      } else {
        assert.deepEqual([put.status, put.body], [200, recommended.read], JSON.stringify(input));
        assert.equal(body, recommended.read);
        for (const pid of recommended.queue) assert.equal(guard.queue.take()?.tgid, pid);
        assert.equal(guard.queue.take(), undefined);
      }
      assert.match(String(headers['content-type']), /^text\/plain/);
    }
  });

  test('acceptance of 2005: a fresh read is an empty line; 11 22 33 reads 11 22 33', async (t) => {
    const { path } = await scene(t);
    assert.equal((await get(path, '/oom')).body, '\n');
    assert.equal((await ask(path, 'PUT', '/oom', '11 22 33\n')).body, '11 22 33\n');
    assert.equal((await get(path, '/oom')).body, '11 22 33\n');
  });

  test('an id that no task has is ESRCH and the old list stays; with missing=drop it is left out', async (t) => {
    const { path, guard } = await scene(t);
    guard.tasks.missing.add(22);
    await ask(path, 'PUT', '/oom', '77 88');
    const { status, body } = await ask(path, 'PUT', '/oom', '11 22 33');
    assert.deepEqual([status, body], [404, 'ESRCH: no task has the id 22\n']);
    assert.equal((await get(path, '/oom')).body, '77 88\n');
    assert.equal((await ask(path, 'PUT', '/oom?missing=drop', '11 22 33')).body, '11 33\n');
    assert.equal((await ask(path, 'PUT', '/oom?missing=perhaps', '11')).status, 400);
  });

  test('more than 4,096 are E2BIG, more than 64 KiB EINVAL; the old list stays', async (t) => {
    const { path } = await scene(t);
    await ask(path, 'PUT', '/oom', '77 88');
    const many = Array.from({ length: 4097 }, (_, index) => index + 2).join(' ');
    assert.equal((await ask(path, 'PUT', '/oom', many)).headers['x-badness-error'], 'E2BIG');
    const most = await ask(path, 'PUT', '/oom', `5${' '.repeat(65_535)}`);
    assert.deepEqual([most.status, most.body], [200, '5\n']);
    const long = await ask(path, 'PUT', '/oom', ' '.repeat(65_537));
    assert.deepEqual([long.status, long.headers['x-badness-error']], [413, 'EINVAL']);
    assert.equal((await get(path, '/oom')).body, '5\n');
  });

  test('a list counts so long as it is said, and for ever where nothing is said', async (t) => {
    const { path, guard } = await scene(t);
    const before = monotonicMs();
    await ask(path, 'PUT', '/oom?lasts_ms=3000', '11');
    const { untilMs } = guard.queue;
    assert.ok(untilMs >= before + 3000 && untilMs <= monotonicMs() + 3000, `${untilMs}`);
    // What is refused does not change the time of the list before.
    await ask(path, 'PUT', '/oom?lasts_ms=9000', 'x');
    assert.equal((await ask(path, 'PUT', '/oom?lasts_ms=0', '11')).headers['x-badness-error'], 'EINVAL');
    assert.equal((await ask(path, 'PUT', '/oom?lasts_ms=3600001', '11')).headers['x-badness-error'], 'EINVAL');
    assert.equal(guard.queue.untilMs, untilMs);
    await ask(path, 'PUT', '/oom?lasts_ms=1', '33');
    while (monotonicMs() <= guard.queue.untilMs) await new Promise(setImmediate);
    assert.equal(JSON.parse((await get(path, '/state')).body).queue_stale, true);
    await ask(path, 'PUT', '/oom', '22');
    assert.equal(guard.queue.untilMs, Number.POSITIVE_INFINITY);
    assert.equal(JSON.parse((await get(path, '/state')).body).queue_stale, false);
  });
});

/** CPU time of a thread as it is told, in 1/100 s. */
async function ticksOf(path: string, pid: number, tid?: number): Promise<number> {
  const { body } = await get(path, tid === undefined ? `/${pid}/oom` : `/${pid}/task/${tid}/oom`);
  const [, told, utime, stime] = /^(\d+) (\d+) (\d+)\n$/.exec(body) ?? [];
  // A thread of the runtime may have ended since it was listed.
  if (told === undefined) return 0;
  assert.equal(Number(told), tid ?? pid);
  return Number(utime) + Number(stime);
}

describe('control: CPU times of 2005', () => {
  test('a process has those of its first thread, with the unit in a header', async (t) => {
    const { path } = await scene(t);
    const before = readFileSync(`/proc/${process.pid}/task/${process.pid}/stat`, 'latin1');
    const { body, headers } = await get(path, `/${process.pid}/oom`);
    const [, pid, utime, stime] = /^(\d+) (\d+) (\d+)\n$/.exec(body)!;
    const fields = before.slice(before.lastIndexOf(')') + 2).split(' ');
    assert.equal(Number(pid), process.pid);
    for (const [told, index] of [
      [utime, 11],
      [stime, 12],
    ] as const) {
      const more = Number(told) - Number(fields[index]);
      assert.ok(more >= 0 && more < 100, `${told} after ${fields[index]}`);
    }
    assert.equal(headers['x-badness-unit'], '1/100 s');
  });

  test('each thread has its own: what another one has worked does not count', async (t) => {
    const { path } = await scene(t);
    // By CPU time: on a busy machine 400 ms may pass without a turn.
    const spin =
      'const begun = process.cpuUsage(); while (process.cpuUsage(begun).user < 400000); setInterval(() => {}, 1000);';
    const worker = new Worker(`${spin} require('node:worker_threads').parentPort.postMessage('spun')`, { eval: true });
    t.after(() => worker.terminate());
    const before = await ticksOf(path, process.pid);
    await new Promise((spun) => worker.once('message', spun));
    const own = (await ticksOf(path, process.pid)) - before;
    const tids = readdirSync('/proc/self/task').map(Number);
    const others = await Promise.all(tids.map((tid) => ticksOf(path, process.pid, tid)));
    assert.ok(own < 20, `${own} ticks of the first thread, which slept`);
    assert.ok(Math.max(...others.filter((_, index) => tids[index] !== process.pid)) >= 20, others.join());
  });

  test('no such process, no such thread, or one of another process is ESRCH', async (t) => {
    const { path } = await scene(t);
    for (const resource of ['/4194304/oom', `/${process.pid}/task/1/oom`, '/9999999999/oom']) {
      const { status, headers } = await get(path, resource);
      assert.deepEqual([status, headers['x-badness-error']], [404, 'ESRCH'], resource);
    }
    for (const resource of ['/0/oom', '/007/oom', '/-1/oom', '/x/oom', '/1/oom/', '/self/oom']) {
      assert.equal((await get(path, resource)).headers['x-badness-error'], 'ENOENT', resource);
    }
  });
});

describe('control: the files of 2006', () => {
  test('every row of the vectors, as recommended: protected or not, or EINVAL and nothing changed', async (t) => {
    const { path, guard } = await scene(t);
    assert.equal(commandRows.length, 33);
    for (const { input, recommended } of commandRows) {
      guard.asked.length = 0;
      const { status, body, headers } = await ask(path, 'POST', CTL, input);
      if ('error' in recommended) {
        assert.deepEqual([status, headers['x-badness-error']], [400, recommended.error], JSON.stringify(input));
        assert.deepEqual(guard.asked, []);
      } else {
        assert.deepEqual([status, body], [204, ''], JSON.stringify(input));
        assert.deepEqual(guard.asked, [[recommended.effect.pid, recommended.effect.protect]]);
      }
    }
  });

  test('a command for a process that is not there is ESRCH, one of more than 4,096 bytes EINVAL', async (t) => {
    const { path, guard } = await scene(t);
    guard.tasks.missing.add(123);
    const { status, body } = await ask(path, 'POST', CTL, 'setprotection 123 1');
    assert.deepEqual([status, body], [404, 'ESRCH: no task has the id 123\n']);
    const padded = (length: number) => `setprotection ${' '.repeat(length - 'setprotection 55 1'.length)}55 1`;
    assert.equal((await ask(path, 'POST', CTL, padded(4096))).status, 204);
    assert.equal((await ask(path, 'POST', CTL, padded(4097))).headers['x-badness-error'], 'EINVAL');
  });

  test('status has the columns of the proposal, also where a name would break them', async (t) => {
    const { path, guard } = await scene(t);
    const head = 'OOM protected processes:\nPID        NAME            \n---        ----            \n';
    assert.equal((await get(path, '/oom_kill_protection/status')).body, head);
    guard.names.set(4711, 'database');
    guard.names.set(5, 'a\n66   b\x1b[2J\\');
    assert.equal(
      (await get(path, '/oom_kill_protection/status')).body,
      `${head}4711       database        \n5          a\\x0a66   b\\x1b[2J\\x5c\n`,
    );
  });

  test('usage names what there is', async (t) => {
    const { path } = await scene(t);
    const { body } = await get(path, '/oom_kill_protection/usage');
    assert.match(
      body,
      /^Usage:\n[^\n]*\/oom_kill_protection\/status\n[^\n]*setprotection <pid> \[0\/1\][^\n]*\/ctl\n$/,
    );
    assert.ok(body.includes(path));
  });
});
