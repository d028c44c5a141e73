// What the policies of a user would have done with the tables of kernel logs, as far as a log tells what they ask for.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openEngine, SCHEMES } from '../../src/index.js';
import { definePolicy, type PolicyInput } from '../../src/policy/index.js';
import { askPolicy, type PolicyChoice, policyChoices, readKernelLog, rerank } from '../../src/report/index.js';
import { bytesOf, reportLines, SAMPLES } from './support/oom-log.js';

const engine = await openEngine({ maxTasks: 64 });
const JAVA = { tgid: 501, comm: 'java', uid: 1000, total_vm_pages: 70_000, rss_pages: 60_000, pgtables_bytes: 0 };
const MYSQL = { tgid: 600, comm: 'mysqld', uid: 27, total_vm_pages: 50_000, rss_pages: 40_000, pgtables_bytes: 0 };
const SSHD = { tgid: 777, comm: 'sshd', uid: 0, total_vm_pages: 9000, rss_pages: 512, pgtables_bytes: 0 };
const REPORT = { era: '6.8', tasks: [JAVA, MYSQL, SSHD], victim: JAVA, totalPages: 200_000 } as const;
const LINES = reportLines({ ...REPORT, release: '6.18.44' });

async function choices(lines: readonly string[], inputs: readonly PolicyInput[], at = 0): Promise<PolicyChoice[]> {
  const event = readKernelLog(bytesOf(lines.join('\n'))).events[at]!;
  const policies = inputs.map((input) => definePolicy(input));
  return policyChoices(engine, event, rerank(engine, event), [await askPolicy('own.toml', { policies })]);
}

async function choice(input: PolicyInput, lines: readonly string[] = LINES): Promise<PolicyChoice> {
  return (await choices(lines, [input]))[0]!;
}

const hits = ({ victim }: PolicyChoice) => victim!.rules!.map(({ rule, effect, points }) => [rule, effect, points]);

describe('report: what a policy would have done', () => {
  test('without rules a policy chooses as its scheme does, in every sample that has a table', async () => {
    let tables = 0;
    for (const { kernel, lines } of SAMPLES) {
      const { events } = readKernelLog(bytesOf(lines.join('\n')));
      for (const event of events) {
        const reranking = rerank(engine, event);
        for (const { scheme, outcome, victim, same } of reranking.schemes) {
          const asked = await askPolicy('own.toml', { policies: [definePolicy({ scheme, never: [] })] });
          const [found] = policyChoices(engine, event, reranking, [asked]);
          assert.deepEqual(
            [found!.outcome, found!.victim?.tgid, found!.victim?.points, found!.same],
            [outcome, victim?.tgid, victim?.points, same],
            `${kernel}, ${scheme}`,
          );
          tables += 1;
        }
      }
    }
    assert.ok(tables > 7 * 10);
    assert.ok(SCHEMES.length > 10);
  });

  test('rules change whom it chooses, and are told with the points after them', async () => {
    const found = await choice({ rules: [{ comm: 'my*', times: 3 }] });
    assert.deepEqual([found.victim!.tgid, found.victim!.points, found.same], [600, 120_000, false]);
    assert.deepEqual(hits(found), [[1, 'times 3/1', 120_000]]);
    assert.deepEqual([found.kernels!.tgid, found.kernels!.points], [501, 60_000]);
  });

  test('the list never spares, as rule 0, and a policy that spares everybody chooses nobody', async () => {
    const spared = await choice({ never: ['java'], rules: [{ comm: 'sshd', minus: '1MiB' }] });
    assert.equal(spared.victim!.tgid, 600);
    assert.deepEqual(
      spared.kernels!.rules!.map(({ rule, effect }) => [rule, effect]),
      [[0, 'never']],
    );
    assert.equal(spared.kernels!.reason, 'rule');
    const nobody = await choice({ never: ['*'] });
    assert.deepEqual([nobody.outcome, nobody.victim, nobody.same], ['no-victim', null, false]);
  });

  test('one policy does not change what the next one finds', async () => {
    const event = readKernelLog(LINES.join('\n')).events[0]!;
    const asked = [];
    for (const never of [['*'], [], ['java']])
      asked.push(await askPolicy('x', { policies: [definePolicy({ never })] }));
    const found = policyChoices(engine, event, rerank(engine, event), asked);
    assert.deepEqual(
      found.map(({ victim }) => victim?.tgid),
      [undefined, 501, 600],
    );
  });

  test('parameters of the policy count', async () => {
    const adjusted = { ...MYSQL, oom_score_adj: 500 };
    const lines = reportLines({ ...REPORT, tasks: [JAVA, adjusted] });
    assert.equal((await choice({}, lines)).victim!.tgid, 501);
    assert.equal((await choice({ parameters: { adj: 'kernel' } }, lines)).victim!.tgid, 600);
  });
});

describe('report: what no log tells counts in favour of the task', () => {
  const ROWS: [rule: NonNullable<PolicyInput['rules']>[number], conditions: string[]][] = [
    [{ comm: 'java', cmdline: '*jar*', never: true }, ['cmdline']],
    [{ exe: '/usr/bin/java', never: true }, ['exe']],
    [{ cgroup: '/system.slice/*', comm: 'java', never: true }, ['cgroup']],
    [{ ancestor: 'tomcat', comm: 'java', never: true }, ['ancestor']],
    [{ age: { older: '10min' }, comm: 'java', never: true }, ['age']],
    [{ age: { younger: '10min' }, comm: 'java', never: true }, ['age']],
    [{ user: 'tomcat', comm: 'java', never: true }, ['user']],
    [{ user: 'tomcat', age: { older: '1s' }, cmdline: '*', comm: 'java', never: true }, ['cmdline', 'age', 'user']],
  ];
  for (const [rule, conditions] of ROWS) {
    test(`${JSON.stringify(rule)} may spare`, async () => {
      const found = await choice({ rules: [rule] });
      assert.notEqual(found.victim?.tgid, 501);
      assert.deepEqual(found.unknown, [{ rule: 1, conditions }]);
      assert.equal(found.kernels!.rules![0]!.assumed, true);
    });
    test(`${JSON.stringify({ ...rule, never: undefined, times: 9 })} does not raise`, async () => {
      const { never: _, ...conditionsOnly } = rule;
      const found = await choice({ rules: [{ ...conditionsOnly, times: 9 }] });
      assert.deepEqual([found.victim!.tgid, found.victim!.points, hits(found)], [501, 60_000, []]);
    });
  }

  test('comm, uid, the user root and memory are told', async () => {
    const spared = async (rule: object) => {
      const { victim, unknown } = await choice({ rules: [{ ...rule, never: true }], never: [] });
      assert.deepEqual(unknown, []);
      return victim!.tgid;
    };
    assert.equal(await spared({ user: 1000 }), 600);
    assert.equal(await spared({ user: 'root' }), 501);
    assert.equal(await spared({ memory: { more: '100MiB', less: '200MiB' } }), 501);
    assert.equal(await spared({ memory: { more: '25%' } }), 600);
    const rooted = await choice({ rules: [{ user: 'root', class: 'first', least: '1MiB' }], never: [] });
    assert.deepEqual([rooted.victim!.tgid, rooted.victim!.points], [777, 512]);
  });

  test("the kernel's choice has the points that it would have come to, however far down it is", async () => {
    const small = { ...JAVA, rss_pages: 100 };
    const tasks = [
      small,
      ...Array.from({ length: 79 }, (_, at) => ({ ...JAVA, tgid: 1000 + at, rss_pages: 1000 + at })),
    ];
    const [event] = readKernelLog(reportLines({ ...REPORT, tasks, victim: small }).join('\n')).events;
    const large = await openEngine({ maxTasks: 80 });
    const policies = [definePolicy({ rules: [{ cmdline: '*', times: '1/2' }] })];
    const [found] = policyChoices(large, event!, rerank(large, event!), [await askPolicy('x', { policies })]);
    assert.deepEqual([found!.victim!.points, found!.kernels!.points], [539, 50]);
  });

  test('rules that nobody can look for need no more selections for many rows than for few', async () => {
    const tasks = Array.from({ length: 500 }, (_, at) => ({ ...JAVA, tgid: 1000 + at, rss_pages: 50_000 + at }));
    const [event] = readKernelLog(reportLines({ ...REPORT, tasks, victim: tasks[0]! }).join('\n')).events;
    const large = await openEngine({ maxTasks: tasks.length });
    const reranking = rerank(large, event!);
    let selections = 0;
    const select: typeof large.abi.select = (...words) => {
      selections += 1;
      return large.abi.select(...words);
    };
    const counting = Object.create(large, { abi: { value: { ...large.abi, select } } });
    const policies = [definePolicy({ rules: [{ cmdline: '*', never: true }] })];
    const [found] = policyChoices(counting, event!, reranking, [await askPolicy('x', { policies })]);
    assert.equal(found!.outcome, 'no-victim');
    assert.ok(selections > 0 && selections < 10, `${selections} selections`);
  });

  test('a rule that what the log tells rules out for everybody is not said to be unknown', async () => {
    const found = await choice({ rules: [{ comm: 'firefox', cmdline: '*', never: true }] });
    assert.deepEqual([found.victim!.tgid, found.unknown], [501, []]);
  });

  test('inputs of the scheme, plug-ins and families are named, and nobody is guessed', async () => {
    assert.deepEqual((await choice({})).missing, ['CPU time', 'run time', 'niceness']);
    const plugin = await choice({ scheme: { wasm: '/etc/own.wasm', fallback: 'resident' } });
    assert.deepEqual([plugin.plugin, plugin.scheme, plugin.victim!.tgid], ['/etc/own.wasm', 'resident', 501]);
    const family = await choice({ scheme: 'family' });
    assert.deepEqual([family.outcome, family.victim, family.missing], ['not-told', null, ['sessions']]);
  });

  test('a total that the report leaves open is said where it decides', async () => {
    const rules = [{ comm: 'idle*', class: 'first' as const, least: '20%' }];
    const lines = LINES.filter((line) => !line.endsWith('pages RAM'));
    const small = reportLines({ ...REPORT, tasks: [JAVA, { ...MYSQL, comm: 'idle' }] });
    assert.equal((await choice({ rules }, small)).settled, true);
    const open = small.filter((line) => !line.endsWith('pages RAM'));
    const found = await choice({ rules }, open);
    assert.deepEqual([found.victim!.tgid, found.settled], [600, false]);
    assert.equal((await choice({}, lines)).settled, true);
  });

  test('without a table nobody is chosen', async () => {
    const found = await choice({}, ['Out of memory: Killed process 501 (java).']);
    assert.deepEqual([found.outcome, found.victim, found.same], ['no-table', null, null]);
  });
});

describe('report: which domain of a file is asked', () => {
  const CONTEXT = /oom-kill:constraint=CONSTRAINT_NONE,nodemask=\(null\),cpuset=\/,mems_allowed=0,global_oom/;
  const memcg = (path: string) =>
    LINES.map((line) =>
      line.replace(
        CONTEXT,
        `oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=${path}`,
      ),
    );
  const cpuset = (nodes: string) =>
    LINES.map((line) =>
      line.replace(
        CONTEXT,
        `oom-kill:constraint=CONSTRAINT_CPUSET,nodemask=(null),cpuset=/,mems_allowed=${nodes},global_oom`,
      ),
    );
  const DOMAINS: NonNullable<PolicyInput['domain']>[] = [
    'auto',
    { memcg: '/a' },
    { memcg: '/a/b' },
    { numaNode: 1 },
    { registered: 'tenants', budget: '1GiB' },
  ];
  const POLICIES = DOMAINS.map((domain) => ({ domain }));
  const ROWS: [what: string, lines: string[], domain: string][] = [
    ['the whole machine', LINES, 'auto'],
    ['a cgroup', memcg('/a'), 'memcg:/a'],
    ['a cgroup of its own within another', memcg('/a/b'), 'memcg:/a/b'],
    ['a cgroup below', memcg('/a/b/c'), 'memcg:/a/b'],
    ['a cgroup of a longer name', memcg('/ab'), 'auto'],
    ['a node', cpuset('1'), 'node:1'],
    ['two nodes', cpuset('0-1'), 'auto'],
  ];
  for (const [what, lines, domain] of ROWS) {
    test(`${what}: ${domain}`, async () => {
      const [found] = await choices(lines, POLICIES);
      assert.deepEqual([found!.domain, found!.victim!.tgid], [domain, 501]);
      const [turned] = await choices(lines, [...POLICIES].reverse());
      assert.equal(turned!.domain, domain, 'in whatever order they stand');
    });
  }

  test('none of it: nobody is chosen, and that is said', async () => {
    const [found] = await choices(LINES, POLICIES.slice(1));
    assert.deepEqual([found!.outcome, found!.domain, found!.victim], ['no-domain', null, null]);
  });
});
