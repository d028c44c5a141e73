/** Conditions on files beyond stat and status: when they are looked at, how often, and what counts when they are not. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { RuleInput } from '../../src/policy/index.js';
import { ineligibleTasks } from '../../src/rank.js';
import type { FakeTask } from './support/fake-proc.js';
import { hog, other, ruledBothWays, small } from './support/ruled.js';

describe('rules: what stat and status do not tell', () => {
  const crowd = (count: number, task: Partial<FakeTask> = {}) =>
    Array.from({ length: count }, (_, index) => ({
      pid: 1000 + index,
      comm: 'java',
      rss: 1000 + index,
      vm: 9000,
      ...task,
    }));

  ruledBothWays('is looked at only for who would win', async (choose) => {
    const { victim, rules } = await choose({
      tasks: [...crowd(200, { cmdline: ['x'] }), { ...hog, cmdline: ['y'] }],
      rules: [{ cmdline: '*', times: '1/2' }],
    });
    assert.equal(victim, hog.pid);
    assert.deepEqual(rules.report, { looked: 1, spared: 0 });
  });

  ruledBothWays('is not looked at where it makes no difference', async (choose) => {
    const rules: RuleInput[] = [
      { comm: 'hog', times: '2/1' },
      { comm: 'hog', cmdline: '*', times: '1/2' },
      { comm: 'small', exe: '*', never: true },
    ];
    const chosen = await choose({ tasks: [hog, other], rules });
    assert.deepEqual([chosen.victim, chosen.rules.report], [hog.pid, { looked: 0, spared: 0 }]);
  });

  const now = () => 0;

  ruledBothWays('command lines are read of 64 tasks a round; the others are spared, and counted', async (choose) => {
    const tasks = [...crowd(200, { cmdline: ['keep'] }), { ...small, pid: 9, rss: 10, cmdline: ['keep'] }];
    const rules: RuleInput[] = [{ cmdline: 'keep', never: true, comm: 'java' }];
    const chosen = await choose({ tasks, rules, open: { now } });
    assert.deepEqual([chosen.victim, chosen.rules.report], [9, { looked: 200, spared: 136 }]);
  });

  ruledBothWays('what costs no wait is looked at of more', async (choose) => {
    const texts = { cgroup: '0::/a\n', exe: '/x', ppid: 1 };
    const init = { pid: 1, comm: 'init', ppid: 0, rss: 1, vm: 9 };
    const tasks = [init, ...crowd(200, texts), { ...small, pid: 9, rss: 10, cgroup: '0::/b\n', exe: '/y', ppid: 0 }];
    for (const condition of [{ cgroup: '/a' }, { exe: '/x' }, { ancestor: 'init' }]) {
      const { victim, rules } = await choose({ tasks, rules: [{ ...condition, never: true }], open: { now } });
      assert.deepEqual([victim, rules.report], [9, { looked: 201, spared: 0 }], JSON.stringify(condition));
    }
  });

  ruledBothWays('beyond that what raises points does not count, and what lowers them does', async (choose) => {
    const tasks = [...crowd(100, { cmdline: ['x'] }), { ...other, cmdline: ['late'], rss: 400 }];
    // Each of them could have the most points until it is looked at, the largest first: the last comes too late.
    const raised = await choose({ tasks, rules: [{ cmdline: 'late', times: '1000/1' }], open: { now } });
    assert.deepEqual([raised.victim, raised.rules.report], [1099, { looked: 101, spared: 37 }]);
    // 64 are read and have a quarter; were the others not lowered unseen, 1035 would be the largest.
    const lowered = await choose({ tasks, rules: [{ comm: 'java', cmdline: 'x', times: '1/4' }], open: { now } });
    assert.deepEqual([lowered.victim, lowered.rules.report], [other.pid, { looked: 100, spared: 36 }]);
  });

  ruledBothWays('no further task after 100 ms', async (choose) => {
    let clock = 0;
    const tasks = [...crowd(50, { cgroup: '0::/a\n' }), { ...small, pid: 9, rss: 10, cgroup: '0::/a\n' }];
    const rules: RuleInput[] = [{ cgroup: '/a', never: true, comm: 'java' }];
    const late = () => {
      clock += 40;
      return clock;
    };
    const chosen = await choose({ tasks, rules, open: { now: late } });
    assert.deepEqual([chosen.victim, chosen.rules.report.looked], [9, 3]);
    assert.ok(chosen.rules.report.spared > 0);
    assert.equal(clock, 160, 'once that is over nobody asks again');
  });

  ruledBothWays(
    'a file that cannot be read counts in favour of the task, and says that it was assumed',
    async (choose) => {
      const tasks = [{ ...hog, exe: '/opt/x' }, other, small];
      const rules: RuleInput[] = [
        { cmdline: 'y', never: true, comm: 'hog' },
        { comm: 'other', cmdline: '*', class: 'first' },
      ];
      const { victim, engine, rules: row } = await choose({ tasks, rules });
      assert.equal(victim, other.pid);
      const excluded = ineligibleTasks(engine, 'resident').find(({ tgid }) => tgid === hog.pid)!;
      assert.deepEqual(row.hitsOf(excluded.slot), [{ rule: 1, effect: 'never', points: null, assumed: true }]);
      assert.deepEqual(row.report, { looked: 2, spared: 2 });
    },
  );

  ruledBothWays('one condition that does not hold is enough, whatever cannot be read', async (choose) => {
    const tasks = [{ ...hog, cgroup: '0::/a\n' }, other];
    const rules: RuleInput[] = [{ exe: '/opt/x', cgroup: '/b', never: true }];
    assert.equal((await choose({ tasks, rules })).victim, hog.pid);
  });

  ruledBothWays('of a command line 4 KiB are looked at', async (choose) => {
    const cmdline = ['x'.repeat(4000), 'y'.repeat(200), 'end'];
    const within = await choose({
      tasks: [{ ...hog, cmdline }, other],
      rules: [{ cmdline: '*yyy', comm: 'hog', never: true }],
    });
    assert.equal(within.victim, other.pid, 'ends within the y');
    const beyond = await choose({
      tasks: [{ ...hog, cmdline }, other],
      rules: [{ cmdline: '*end', comm: 'hog', never: true }],
    });
    assert.equal(beyond.victim, hog.pid);
  });

  ruledBothWays('ancestors that go round in a circle are not followed for ever', async (choose) => {
    const tasks = [
      { ...hog, ppid: 30 },
      { pid: 30, comm: 'a', ppid: 31, rss: 1, vm: 9 },
      { pid: 31, comm: 'b', ppid: 30, rss: 1, vm: 9 },
      other,
    ];
    const { victim, rules } = await choose({ tasks, rules: [{ ancestor: 'x', comm: 'hog', never: true }] });
    assert.equal(victim, other.pid, 'nobody knows them all');
    assert.equal(rules.report.spared, 1);
  });
});
