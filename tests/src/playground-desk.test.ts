/** The desk of the playground without a page: what is brought in, how it is ranked, what a policy and other oom_score_adj change. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Scoring } from '../../src/cli/words.js';
import { openEngine, SCHEMES, type SchemeName } from '../../src/index.js';
import { Desk } from '../../src/playground/desk.js';
import { logStory } from '../../src/playground/log-story.js';
import { ScenarioTexts } from '../../src/playground/scenario-texts.js';
import type { Moment } from '../../src/playground/story.js';
import { parseScenario } from '../../src/simulate/index.js';
import { recordingText } from '../browser/support/recording.js';
import { KMSG_FILE, SAMPLES } from './support/oom-log.js';

const SCORING: Scoring = { scheme: 'badness', maxDiscount: 4, age: 'spare-old', adj: 'never-only' };
const EVENING = readFileSync('examples/evening.ndjson', 'utf8');

/** comm of whom the desk would choose. */
async function victimOf(desk: Desk, { tasks }: Moment, scoring: Partial<Scoring> = {}): Promise<string | null> {
  const { victim } = await desk.rank({ ...SCORING, ...scoring });
  return tasks[victim]?.comm ?? null;
}

async function opened(text: string, index?: number): Promise<{ desk: Desk; moment: Moment }> {
  const desk = new Desk();
  const { first } = await desk.open({ kind: 'text', name: 'it', text }, SCORING);
  return { desk, moment: await shown(desk, index ?? first) };
}

/** A moment, which is in the table then. */
async function shown(desk: Desk, index: number): Promise<Moment> {
  const moment = await desk.show(index);
  await desk.adjust([]);
  return moment;
}

test('desk: every log sample with a table is ranked as the report ranks it again', async () => {
  let named = 0;
  for (const { kernel, lines } of SAMPLES) {
    const { desk, moment } = await opened(lines.join('\n'));
    const { tasks, kernelChose, options, facts } = moment;
    const again = facts.find(({ label }) => label === 'again')?.text ?? '';
    if (tasks.length === 0) continue;
    const ranked = await desk.rank({ ...SCORING, ...(options.scheme ? { scheme: options.scheme } : {}) });
    const victim = tasks[ranked.victim];
    assert.ok(again.includes(` ${victim?.tgid} (`), `${kernel}: ${again}`);
    if (!again.includes('as the kernel did')) continue;
    assert.equal(victim?.tgid, kernelChose?.tgid, kernel);
    named += 1;
  }
  assert.ok(named >= 1, 'the samples are made up; few of their victims are the worst of their tables');
});

test('desk: an event of a log is ranked when it is looked at, and not before', async () => {
  const engine = await openEngine({ maxTasks: 1024 });
  let lent = 0;
  const engineFor = async () => {
    lent += 1;
    return engine;
  };
  const lines = SAMPLES.find(({ kernel }) => kernel === '2.6.32')!.lines;
  const { head, moment } = await logStory('it', [...lines, ...lines].join('\n'), { engineFor });
  assert.deepEqual([head.moments.length, head.first, lent], [2, 0, 0]);
  for (const index of [1, 0]) assert.equal((await moment(index)).kernelChose?.comm, 'java');
  assert.equal(lent, 2);
});

test('desk: bytes of a log are read as they are', async () => {
  const desk = new Desk();
  const head = await desk.open({ kind: 'bytes', name: 'kmsg', bytes: readFileSync(KMSG_FILE) }, SCORING);
  const moment = await shown(desk, head.first);
  assert.equal(head.kind, 'log');
  assert.equal(moment.options.scheme, 'linux-5.9');
  assert.equal(await victimOf(desk, moment, { scheme: 'linux-5.9' }), 'hog )1 [2]');
});

test('desk: what is nothing that can be shown is refused with a reason, and what was open stays', async () => {
  const { desk, moment } = await opened(EVENING);
  const texts: [text: string, reason: RegExp][] = [
    ['', /no event of the OOM killer in it: the log is empty/],
    ['{"tgid":1,"comm":5}', /line 1: comm/],
    ['badness-recording 7', /expected badness-recording 1, got 7/],
    ['# a comment\nbadness-recording 1\nsnapshot', /line 3/],
  ];
  for (const [text, reason] of texts) {
    await assert.rejects(desk.open({ kind: 'text', name: 'it', text }, SCORING), reason);
    assert.equal(await victimOf(desk, moment), 'leaky-tool');
  }
  await assert.rejects(new Desk().show(0), /opened first/);
});

test('desk: other oom_score_adj count in every scheme that knows it, old ones by the rule of their kernels', async () => {
  const { desk, moment } = await opened(EVENING);
  const before = new Map<SchemeName, string | null>();
  for (const scheme of SCHEMES) before.set(scheme, await victimOf(desk, moment, { scheme }));
  const postgres = moment.tasks.find(({ comm }) => comm === 'postgres')!.tgid;
  const tsc = moment.tasks.find(({ comm }) => comm === 'tsc')!.tgid;
  await desk.adjust([
    [postgres, -1000],
    [tsc, -1000],
  ]);
  for (const scheme of SCHEMES) {
    const after = await victimOf(desk, moment, { scheme });
    const knows = scheme !== 'linux-2.4' && scheme !== 'linux-2.6.10';
    if (knows) assert.notEqual(after, 'tsc', scheme);
    else assert.equal(after, before.get(scheme), scheme);
  }
  await desk.adjust([]);
  for (const scheme of SCHEMES) assert.equal(await victimOf(desk, moment, { scheme }), before.get(scheme), scheme);
});

test('desk: every scheme chooses as a ranking in it does, with rules and without', async () => {
  const { desk, moment } = await opened(EVENING);
  for (const policy of ['', 'version = 1\n[[rule]]\ncomm = "leaky*"\nnever = true\n']) {
    await desk.setPolicy(policy);
    for (const scheme of SCHEMES) {
      const { slot } = await desk.choose(scheme, SCORING);
      assert.equal(moment.tasks[slot]?.comm ?? null, await victimOf(desk, moment, { scheme }), scheme);
    }
  }
});

test('desk: a policy that is wrong changes nothing, one that is good does, and none takes it back', async () => {
  const { desk, moment } = await opened(EVENING);
  const good = await desk.setPolicy('version = 1\nscheme = "resident"\nnever = ["postgres"]\n');
  assert.deepEqual(good.problems, []);
  assert.equal(good.inForce?.scheme, 'resident');
  assert.equal(good.inForce?.saysScoring, true);
  assert.equal(await victimOf(desk, moment, { scheme: 'resident' }), 'leaky-tool');
  const slot = moment.tasks.findIndex(({ comm }) => comm === 'postgres');
  const { hits, terms } = await desk.explain(slot, SCORING);
  assert.deepEqual([hits.map(({ rule, effect }) => [rule, effect]), terms.reason], [[[0, 'never']], 'rule']);
  const wrong = await desk.setPolicy('version = 1\nschme = "resident"\n');
  assert.equal(wrong.problems[0]?.line, 2);
  assert.equal(await victimOf(desk, moment, { scheme: 'resident' }), 'leaky-tool');
  assert.deepEqual(await desk.setPolicy(' \n'), { problems: [], inForce: null });
  assert.equal(await victimOf(desk, moment, { scheme: 'resident' }), 'postgres');
  const module = await desk.setPolicy('version = 1\nscheme = { module = "file:///x.js", export = "x" }\n');
  assert.match(module.problems[0]?.text ?? '', /a page loads no modules/);
});

test('desk: a recording is read snapshot by snapshot, in any order', async () => {
  const { desk, moment } = await opened(recordingText());
  assert.equal(await victimOf(desk, moment), 'hog');
  assert.equal(await victimOf(desk, await shown(desk, 0)), 'server');
  assert.equal(await victimOf(desk, await shown(desk, 1)), 'hog');
});

test('desk: a scenario is played under the policy and the scheme in force', async () => {
  const scenario = await parseScenario(readFileSync('scenarios/leaking-server.toml', 'utf8'));
  const desk = new Desk();
  const source = { kind: 'scenario', name: scenario.name, scenario } as const;
  const kills = async (scoring: Scoring) => new Set((await desk.open(source, scoring)).kills.map(({ comm }) => comm));
  assert.deepEqual([...(await kills(SCORING))], ['api-server']);
  assert.ok((await kills({ ...SCORING, scheme: 'resident' })).has('postgres'));
  const head = await desk.open(source, SCORING);
  assert.equal(
    await victimOf(desk, await shown(desk, head.first)),
    'api-server',
    'it begins just before the first kill',
  );
  assert.equal(await victimOf(desk, await shown(desk, 0)), 'postgres');
  assert.equal(head.moments.length, head.momentsS.length);
  assert.equal(head.track?.timesS.length, head.track?.memoryBytes.length);
});

test('scenario texts: a kind without a program has the one that a simulation gives it', async () => {
  const kind = `[[task]]\ncomm = "a"\ncgroup = "/x"\n`;
  const texts = new ScenarioTexts(await parseScenario(`version = 1\n[machine]\nmemory = "1GiB"\n${kind}`));
  texts.moveTo([{ tgid: 5, ppid: 1, comm: 'a' }]);
  assert.deepEqual(texts.read(5, 1, 'exe'), ['/usr/bin/a']);
  assert.deepEqual(texts.read(5, 1, 'cgroup'), ['/x']);
});

test('scenario texts: as the scenario says of a kind, and nothing where two kinds have one name', async () => {
  const kinds = `[[task]]\ncomm = "a"\nexe = "/bin/a"\n[[task]]\ncomm = "b"\n[[task]]\ncomm = "b"\nexe = "/bin/b"\n`;
  const texts = new ScenarioTexts(
    await parseScenario(`version = 1\nname = "x"\nlasts = "1s"\n[machine]\nmemory = "1GiB"\n${kinds}`),
  );
  texts.moveTo([
    { tgid: 5, ppid: 1, comm: 'a' },
    { tgid: 6, ppid: 5, comm: 'b' },
  ]);
  assert.deepEqual(texts.read(5, 1, 'exe'), ['/bin/a']);
  assert.deepEqual(texts.read(5, 1, 'cmdline'), ['a']);
  assert.equal(texts.read(6, 5, 'exe'), null);
  assert.deepEqual(texts.read(6, 5, 'ancestor'), ['a', 'init']);
});
