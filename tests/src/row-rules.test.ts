/** Rules on the rows of a fake /proc: each condition, each effect, classes, and what a report says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { decisions, recordDecision } from '../../src/decision.js';
import { openEngine } from '../../src/engine.js';
import { openRules } from '../../src/linux/rules.js';
import { definePolicy, flagRules, type RuleInput } from '../../src/policy/index.js';
import { ineligibleTasks, scoreTasks, selectTask } from '../../src/rank.js';
import { FakeProc, type FakeTask } from './support/fake-proc.js';
import { hog, MIB, other, ruled, ruledBothWays, small } from './support/ruled.js';

/** Rules that match the hog and nobody else, and near misses that do not match it. */
const CONDITIONS: [what: string, task: Partial<FakeTask>, matching: RuleInput[], missing: RuleInput[]][] = [
  [
    'comm',
    {},
    [{ comm: 'hog' }, { comm: 'h*' }, { comm: 'h?g' }, { comm: '/(?i)^H.g$/' }],
    [{ comm: 'ho' }, { comm: '/^og/' }, { comm: 'HOG' }],
  ],
  [
    'exe',
    { exe: '/opt/my app/hog' },
    [{ exe: '/opt/*' }, { exe: '*/hog' }, { exe: '/my.app/' }],
    [{ exe: '/opt' }, { exe: '/usr/*' }],
  ],
  ['exe of a program that was replaced', { exe: '/opt/hog (deleted)' }, [{ exe: '/opt/hog' }], [{ exe: '/opt/hog?*' }]],
  [
    'cmdline',
    { cmdline: ['java', '-jar', 'kafka.jar', ''] },
    [{ cmdline: 'java -jar kafka.jar' }, { cmdline: '*kafka*' }, { cmdline: '/-jar kafka/' }],
    [{ cmdline: 'java' }, { cmdline: '/^kafka/' }],
  ],
  [
    'user',
    { uid: 1234 },
    [{ user: 1234 }, { user: 'build' }],
    [{ user: 1235 }, { user: 'nobody-here' }, { user: 'root' }],
  ],
  [
    'cgroup',
    { cgroup: '0::/user.slice/user-1.slice/app\n' },
    [{ cgroup: '/user.slice/*' }, { cgroup: '*/app' }, { cgroup: '/slice.app$/' }],
    [{ cgroup: '/user.slice' }, { cgroup: '/system.slice/*' }],
  ],
  [
    'cgroup of version 1',
    { cgroup: '5:cpu:/a\n4:memory:/b:c\n0::/\n' },
    [{ cgroup: '/b:c' }, { cgroup: '/a' }],
    [{ cgroup: '/c' }],
  ],
  [
    'ancestor',
    { ppid: 20 },
    [{ ancestor: 'ci-runner' }, { ancestor: 'init' }, { ancestor: '/^sh$/' }],
    [{ ancestor: 'hog' }, { ancestor: 'small' }],
  ],
  [
    'age',
    { start: 9_000_000 },
    [{ age: { older: '2h' } }, { age: { older: 10_000, younger: 10_001 } }],
    [{ age: { older: 10_001 } }, { age: { younger: 10_000 }, comm: 'hog' }],
  ],
  [
    'memory',
    {},
    [{ memory: { more: '3000MiB' } }, { memory: { more: '15%', less: '20%' } }],
    [{ memory: { more: '3001MiB' } }, { memory: { less: '3000MiB' }, comm: 'hog' }],
  ],
  [
    'several',
    { uid: 1234, cmdline: ['x'] },
    [{ comm: 'hog', user: 1234, cmdline: 'x' }],
    [
      { comm: 'hog', user: 1 },
      { comm: 'other', cmdline: 'x' },
      { comm: 'hog', cmdline: 'y' },
    ],
  ],
];

const passwd = (proc: FakeProc) => {
  proc.file('passwd', 'root:x:0:0:root:/root:/bin/sh\nbuild:x:1234:1:::\nbuild:x:99:1:::\n');
  return `${proc.root}/passwd`;
};

for (const [what, task, matching, missing] of CONDITIONS) {
  ruledBothWays(`condition ${what}`, async (choose, t) => {
    const users = new FakeProc();
    t.after(() => users.remove());
    const family: FakeTask[] = [
      { pid: 1, comm: 'init', ppid: 0, rss: 100, vm: 200 },
      { pid: 21, comm: 'ci-runner', ppid: 1, rss: 10, vm: 200 },
      { pid: 20, comm: 'sh', ppid: 21, rss: 10, vm: 200 },
    ].map((one) => ({ ...one, exe: '/sbin/x', cmdline: ['x'], cgroup: '0::/none\n' }));
    const texts = { exe: '/bin/none', cmdline: ['none'], cgroup: '0::/none\n', ppid: 0 };
    const tasks = [...family, { ...texts, ...hog, ...task }, { ...texts, ...other }, { ...texts, ...small }];
    const open = { passwd: passwd(users) };
    for (const rule of matching) {
      const { victim } = await choose({ tasks, rules: [{ ...rule, never: true }], open });
      assert.equal(victim, other.pid, `matches: ${JSON.stringify(rule)}`);
    }
    for (const rule of missing) {
      const { victim } = await choose({ tasks, rules: [{ ...rule, never: true }], open });
      assert.equal(victim, hog.pid, `does not match: ${JSON.stringify(rule)}`);
    }
  });
}

ruledBothWays('a ratio is rounded down, and the report says what became of the points', async (choose) => {
  const tasks = [
    { ...hog, rss: 1001 },
    { ...other, rss: 1000 },
  ];
  // 1,000 · 1,000/999 is 1,001 and a bit: a tie, which the larger charge wins; 1,000 · 501/500 is 1,002.
  assert.equal((await choose({ tasks, rules: [{ comm: 'other', times: '1000/999' }] })).victim, hog.pid);
  const chosen = await choose({ tasks, rules: [{ comm: 'other', times: '501/500' }] });
  assert.equal(chosen.victim, other.pid);
  const hits = [{ rule: 1, effect: 'times 501/500', points: 1002, assumed: false }];
  assert.deepEqual(chosen.rules.hitsOf(chosen.slot), hits);
  // 1,001 · 999/1,000 is 999.999: below 1,000.
  assert.equal((await choose({ tasks, rules: [{ comm: 'hog', times: '999/1000' }] })).victim, other.pid);
});

ruledBothWays('ratio, offset and class count each by the first rule that matches', async (choose) => {
  const rules: RuleInput[] = [
    { comm: 'other', minus: '1000MiB' },
    { comm: 'oth*', times: '2/1' },
    { comm: 'o*', plus: '9GiB' },
    { comm: '*', times: '9/1', memory: { less: '2500MiB', more: '1500MiB' } },
    { comm: 'other', class: 'first' },
    { comm: 'other', class: 'last' },
  ];
  const chosen = await choose({ tasks: [hog, other, small], rules });
  assert.deepEqual(chosen.rules.hitsOf(chosen.slot), [
    { rule: 2, effect: 'times 2/1', points: 4000 * MIB, assumed: false },
    { rule: 1, effect: 'minus 1000MiB', points: 3000 * MIB, assumed: false },
    { rule: 5, effect: 'class first', points: 3000 * MIB, assumed: false },
  ]);
});

ruledBothWays('never beats whatever stands before it, and is the reason', async (choose) => {
  const { victim, engine, rules } = await choose({
    tasks: [hog, other],
    rules: [
      { comm: 'hog', class: 'first' },
      { comm: 'hog', never: true },
    ],
  });
  assert.equal(victim, other.pid);
  const scheme = { scheme: 'resident' } as const;
  scoreTasks(engine, scheme);
  assert.equal(engine.u32(L.C_ID, selectTask(engine, scheme).slot), other.pid, 'the engine itself knows it now');
  const [excluded] = ineligibleTasks(engine, 'resident');
  assert.deepEqual([excluded?.tgid, excluded?.reason], [hog.pid, 'rule']);
  assert.deepEqual(rules.hitsOf(excluded!.slot), [{ rule: 2, effect: 'never', points: null, assumed: false }]);
});

ruledBothWays(
  'nobody but by never is excluded: who is lowered to nothing goes when nobody else is left',
  async (choose) => {
    const rules: RuleInput[] = [
      { comm: 'hog', minus: '1TiB' },
      { comm: 'hog', times: '1/1000' },
      { comm: 'hog', class: 'last' },
    ];
    assert.equal((await choose({ tasks: [hog, small], rules })).victim, small.pid);
    assert.equal((await choose({ tasks: [hog], rules })).victim, hog.pid);
  },
);

ruledBothWays('classes order, points decide within them', async (choose) => {
  const rules: RuleInput[] = [{ comm: '/small|other/', class: 'first' }];
  assert.equal((await choose({ tasks: [hog, other, small], rules })).victim, other.pid);
  assert.equal(
    (await choose({ tasks: [hog, other, small], rules: [{ comm: '/hog|other/', class: 'last' }] })).victim,
    small.pid,
  );
  assert.equal(
    (await choose({ tasks: [hog, other], rules: [{ comm: '/hog|other/', class: 'last' }] })).victim,
    hog.pid,
  );
});

/** What earlyoom's --prefer is reported to have done: 58 empty processes of a preferred name, and one hog. */
const empties: FakeTask[] = Array.from({ length: 58 }, (_, index) => ({
  pid: 200 + index,
  comm: 'Web Content',
  rss: 200,
  vm: 90_000,
}));

for (const [what, rules] of Object.entries({
  'the option --prefer': flagRules({ prefer: 'Web Content' }),
  'class first': [{ comm: 'Web Content', class: 'first' }] as RuleInput[],
  plus: [{ comm: 'Web Content', plus: '300GiB' }] as RuleInput[],
})) {
  ruledBothWays(`58 empty processes that are preferred do not go before the hog (${what})`, async (choose) => {
    assert.equal((await choose({ tasks: [...empties, hog], rules })).victim, hog.pid);
    const real = { pid: 300, comm: 'Web Content', rss: 1000 * MIB, vm: 90_000 };
    assert.equal(
      (await choose({ tasks: [...empties, hog, real], rules })).victim,
      300,
      'one that holds something does',
    );
  });
}

ruledBothWays('who wants a preference to beat size says so', async (choose) => {
  const rules: RuleInput[] = [{ comm: 'Web Content', class: 'first', least: '0B' }];
  assert.equal((await choose({ tasks: [...empties, hog], rules })).victim, 257, 'the last of them');
});

ruledBothWays('least is of the total of the domain, not of the machine', async (choose) => {
  const rules: RuleInput[] = [{ comm: 'small', class: 'first', least: '25%' }];
  const tasks = [hog, small];
  assert.equal((await choose({ tasks, rules })).victim, hog.pid);
  assert.equal((await choose({ tasks, rules, scoring: { totalPages: 2000 * MIB } })).victim, small.pid);
});

ruled('a share of a total that is not known is refused', async (choose) => {
  const scene = { tasks: [hog], rules: [{ comm: 'x', class: 'first' }] as RuleInput[], scoring: { totalPages: 0 } };
  await assert.rejects(choose(scene), /^RangeError: totalPages must be above 0 for rules with a share/);
});

ruled('where points are thousandths of memory, an offset is too', async (choose) => {
  const rules: RuleInput[] = [{ comm: 'small', plus: '8GiB' }];
  const chosen = await choose({ tasks: [hog, small], rules, scoring: { scheme: 'linux-3.0' } });
  assert.equal(chosen.victim, small.pid);
  const [hit] = chosen.rules.hitsOf(chosen.slot);
  assert.equal(hit!.points, 530, '500 of 16,384 MiB are 30 thousandths, and 8 GiB are 500');
});

ruledBothWays(
  'the record of the decision names who was chosen by them, and the points that they left',
  async (choose) => {
    const rules: RuleInput[] = [
      { comm: 'small', class: 'first' },
      { comm: 'hog', never: true },
      { comm: 'other', times: '1/4' },
      { comm: 'last', class: 'last' },
    ];
    const tasks = [hog, other, small, { ...small, pid: 13, comm: 'last', rss: 3500 * MIB }];
    const { engine, slot, victim } = await choose({ tasks, rules });
    recordDecision(engine, { scheme: 'resident' }, slot);
    const { outcome, order, eligible, comm } = decisions(engine, 1)[0]!;
    assert.deepEqual([outcome, victim, comm], ['victim', small.pid, 'small']);
    const first = { id: small.pid, points: 500 * MIB, class: 'first' };
    assert.deepEqual(
      order.slice(0, 1).map(({ id, points, class: of }) => ({ id, points, class: of })),
      [first],
    );
    assert.ok(!order.some(({ id }) => id === hog.pid));
    assert.equal(eligible, engine.count - 1);
  },
);

test('rules: users that this machine does not have are named, and their rules match nobody', async () => {
  const engine = await openEngine({ maxTasks: 64 });
  const { rules } = definePolicy({
    rules: [
      { user: 'no-such-user', never: true },
      { user: 5, never: true },
      { user: 'root', times: 2 },
    ],
  });
  assert.deepEqual(
    (await openRules(engine, rules)).unknownUsers,
    process.platform === 'linux' ? ['no-such-user'] : ['no-such-user', 'root'],
  );
  const none = await openRules(engine, []);
  assert.deepEqual([none.rules, none.texts, none.unknownUsers], [null, null, []]);
});
