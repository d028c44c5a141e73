// What badness top knows of a guard: its words, its protected tasks, its decisions, and what it says when there is none.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asksAt, GuardWatch, protectedIds } from '../../src/cli/top-guard.js';
import { report, scene } from './support/control-scene.js';
import { scripted } from './support/top-scene.js';

// Its times are those of where the terminal is.
process.env.TZ = 'UTC';

describe('top: a guard that runs', () => {
  test('says who it is, whom it protects, and what it did last', async () => {
    const { asks } = scripted();
    const watch = new GuardWatch(asks);
    await watch.poll();
    assert.equal(watch.view.words, 'pid 640, system, enforcing, scheme badness; warn; 1 protected, 0 queued, 2 rounds');
    assert.deepEqual([...watch.protected], [3100]);
    assert.equal(watch.scheme, 'badness');
    assert.deepEqual(watch.view.decisions, [
      '11-20 18:41:07 term: released: 3977 (leaky-tool), 704,331 points: 2.70 GiB freed, 41 ms',
      '11-20 18:58:30 term: gone: 811 (odd\\e[2Jname), 704,331 points, 41 ms',
    ]);
  });

  test('a task is protected, then not, and what the guard says counts', async () => {
    const ctl = '/oom_kill_protection/ctl';
    const { asks, asked } = scripted({ [ctl]: '' });
    const watch = new GuardWatch(asks);
    await watch.poll();
    assert.equal(await watch.toggle(812, 'post\x1bgres'), '812 (post\\egres) is protected');
    assert.equal(await watch.toggle(3100, 'gnome-shell'), '3100 (gnome-shell) is protected no more');
    assert.deepEqual(
      asked.filter((one) => one.includes('ctl')),
      [`POST ${ctl} setprotection 812 1`, `POST ${ctl} setprotection 3100 0`],
    );
    assert.match(await new GuardWatch(scripted().asks).toggle(5, 'x'), /^protecting 5 \(x\): no guard listens/);
  });

  test('whom it would choose is its own ranking, behind its queue', async () => {
    const ranked = '{"schema":1,"victim":812}\n{"tgid":4,"comm":"other"}\n{"tgid":812,"comm":"postgres"}\n';
    const choice = (oom: string, rank = ranked) =>
      new GuardWatch(scripted({ '/rank?limit=64': rank, '/oom': oom }).asks).chooses();
    assert.equal(await choice('\n'), 'the guard would choose 812 (postgres)');
    assert.equal(await choice('11 22\n'), 'the guard would look into its queue first: 11 22');
    assert.equal(await choice('\n', '{"schema":1,"victim":null}\n'), 'the guard would choose nobody');
    assert.equal(await choice('\n', '{"schema":1,"victim":9}\n'), 'the guard would choose 9');
  });

  test('when it goes, nobody is protected by it any more and nothing is decided', async () => {
    let isThere = true;
    const { asks } = scripted();
    const watch = new GuardWatch((ask) => asks(isThere ? ask : { resource: '/nothing' }));
    await watch.poll();
    assert.equal(watch.protected.size, 1);
    isThere = false;
    await watch.poll();
    assert.deepEqual(watch.view, { words: 'no guard listens at /run/badness/control.sock', decisions: null });
    assert.equal(watch.protected.size, 0);
  });

  test('it is asked again only when it has answered', async () => {
    let answer: (text: string) => void = () => {};
    let asked = 0;
    const watch = new GuardWatch(() => {
      asked += 1;
      return new Promise((resolve) => {
        answer = resolve;
      });
    });
    const first = watch.poll();
    await watch.poll();
    assert.equal(asked, 1);
    answer('no JSON');
    await first;
    assert.match(watch.view.words, /JSON/);
    void watch.poll();
    assert.equal(asked, 2);
  });

  test('without one everything says why', async () => {
    const watch = new GuardWatch(null, 'no control socket is known');
    await watch.poll();
    assert.deepEqual(watch.view, { words: 'no control socket is known', decisions: null });
    assert.equal(await watch.toggle(5, 'x'), 'protecting 5 (x) needs a guard: no control socket is known');
    assert.equal(await watch.chooses(), 'asking the guard needs a guard: no control socket is known');
  });

  test('over a real socket', async (t) => {
    const { guard, control, path } = await scene(t);
    guard.names.set(41, '9 \n9 ');
    const watch = new GuardWatch(asksAt(path));
    await watch.poll();
    assert.equal(
      watch.view.words,
      `pid ${process.pid}, system, dry run, scheme badness; warn; 1 protected, 0 queued, 3 rounds`,
    );
    assert.deepEqual([[...watch.protected], watch.view.decisions], [[41], []]);
    control.hear({ kind: 'round', atMs: 2, level: 'kill', report: report(), repeated: 0 });
    await watch.poll();
    assert.match(watch.view.decisions![0]!, /^\d\d-\d\d \d\d:\d\d:\d\d kill: dry: nobody, 0 ms$/);
    assert.equal(await watch.toggle(40, 'hog'), '40 (hog) is protected');
    assert.deepEqual([...watch.protected].sort(), [40, 41]);
    assert.equal(await watch.toggle(40, 'hog'), '40 (hog) is protected no more');
    assert.equal(await watch.chooses(), 'the guard would choose 40 (hog)');
    guard.tasks.missing.add(42);
    assert.equal(await watch.toggle(42, 'gone'), 'protecting 42 (gone): ESRCH: no task has the id 42');
  });
});

test('top: names on the list of the protected are no pids', () => {
  const status = `OOM protected processes:\n${['PID        NAME', '---        ----', '812        7777 ', '4194304    a'].join('\n')}\n`;
  assert.deepEqual([...protectedIds(status)], [812, 4_194_304]);
});
