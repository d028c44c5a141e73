// The shipped scenarios: what the default policy comes to in each, and that a plausible other one does worse where it is about that.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { definePolicy, type Policy, type PolicyInput, parsePolicy } from '../../src/policy/index.js';
import { parseScenario, type SimResult, simulate } from '../../src/simulate/index.js';

const open = (name: string) => parseScenario(readFileSync(`scenarios/${name}.toml`, 'utf8'), name);
const play = async (name: string, policy: PolicyInput | null = {}) =>
  simulate(await open(name), policy === null ? null : definePolicy(policy));

/** `by comm`, each once, in order of the first. */
const killed = ({ kills }: SimResult) => [...new Set(kills.map(({ by, comm }) => `${by} ${comm}`))];
const alone = (result: SimResult) =>
  assert.deepEqual([result.innocentsKilled, result.kernelKills, result.stalledMs], [0, 0, 0]);

/** What a good outcome is, by scenario; the two that the default policy gets wrong stand below. */
const GOOD: { [name: string]: (result: SimResult) => void } = {
  'leaking-server': (result) => {
    assert.deepEqual(killed(result), ['guard api-server']);
    assert.ok(result.reliefMs < 1000);
  },
  'build-farm': (result) => {
    assert.equal(result.kills.length, 1);
    assert.equal(result.finished, 119);
  },
  'browser-renderers': ({ kills }) =>
    assert.deepEqual(
      kills.map(({ comm, by }) => [comm, by]),
      [['renderer', 'guard']],
    ),
  'agent-tools': (result) => assert.deepEqual(killed(result), ['guard mcp-server']),
  'database-cache': ({ kills, pressureMs }) => assert.deepEqual([kills, pressureMs], [[], 0]),
  'slow-leak-swap': (result) => assert.deepEqual(killed(result), ['guard sync-daemon']),
  'thundering-restart': ({ kills }) =>
    assert.deepEqual(
      kills.map(({ comm }) => comm),
      ['export-job'],
    ),
  'stubborn-victim': ({ kills, reliefMs }) => {
    assert.deepEqual(
      kills.map(({ comm }) => comm),
      ['java'],
    );
    assert.ok(reliefMs > 3000 && reliefMs < 4000);
  },
  'slow-exit': ({ kills, reliefMs }) => {
    assert.deepEqual(
      kills.map(({ comm }) => comm),
      ['simulation'],
    );
    assert.ok(reliefMs > 4000);
  },
};

for (const [name, check] of Object.entries(GOOD)) {
  test(`scenarios: ${name}: the default policy does well, whatever the seed`, async () => {
    for (const seed of [undefined, 7]) {
      const scenario = await open(name);
      const result = await simulate({ ...scenario, seed: seed ?? scenario.seed }, definePolicy());
      alone(result);
      check(result);
    }
  });
}

const YOUNG_FIRST: PolicyInput = { rules: [{ comm: 'cc1plus', age: { younger: '25s' }, class: 'first' }] };

/** A policy that somebody may well have, by scenario; null is the kernel alone. It must do worse. */
const WORSE: [name: string, what: string, policy: PolicyInput | null][] = [
  ['leaking-server', 'going by size', { scheme: 'resident' }],
  ['leaking-server', 'no guard', null],
  ['build-farm', 'preferring young compilers', YOUNG_FIRST],
  ['browser-renderers', 'going by oom_score', { scheme: 'linux-5.9' }],
  ['agent-tools', 'no guard', null],
  ['agent-tools', 'going by families', { scheme: 'family' }],
  ['database-cache', 'thresholds as if cache were used', { thresholds: { term: { available: '40%' } } }],
  ['thundering-restart', 'sparing the young', { parameters: { age: 'spare-young' } }],
  ['stubborn-victim', 'sparing the young', { parameters: { age: 'spare-young' } }],
  ['slow-exit', 'declaring a victim stuck after a second', { escalation: { stuckMs: 1000, termMs: 500 } }],
];

for (const [name, what, policy] of WORSE) {
  test(`scenarios: ${name}: ${what} kills innocents`, async () => {
    assert.ok((await play(name, policy)).innocentsKilled > 0);
  });
}

test('scenarios: slow-leak-swap: without a guard everybody stands still before the kernel acts', async () => {
  const { stalledMs, kernelKills } = await play('slow-leak-swap', null);
  assert.ok(stalledMs > 5000, `${stalledMs}`);
  assert.equal(kernelKills, 1);
});

test('scenarios: stubborn-victim: an escalation of an hour never gets there', async () => {
  const hour = 3_600_000;
  const limits = { react: { eachMs: 2 * hour, wholeMs: 2 * hour } };
  const { kills, endsShort } = await play('stubborn-victim', { escalation: { termMs: hour }, limits });
  assert.deepEqual([kills, endsShort], [[], true]);
});

const examplePolicy = async (): Promise<Policy> =>
  (await parsePolicy(readFileSync('examples/policy-tests/badness.toml', 'utf8'))).policies[0]!;

test('scenarios: old-leak: the default policy takes the larger database, and a rule puts it right', async () => {
  assert.equal((await play('old-leak')).kills[0]?.comm, 'postgres');
  const ruled = await simulate(await open('old-leak'), await examplePolicy());
  assert.deepEqual(killed(ruled), ['guard queue-worker']);
  alone(ruled);
});

test('scenarios: fork-bomb: no member is large, so the default policy takes an innocent; by families only members go, and memory stays short', async () => {
  const usual = await play('fork-bomb');
  assert.deepEqual([usual.innocentsKilled, usual.culpritsKilled], [1, 0]);
  const family = await play('fork-bomb', { scheme: 'family' });
  assert.equal(family.innocentsKilled, 0);
  assert.ok(family.culpritsKilled > 100);
  assert.ok(family.endsShort);
});

test('scenarios: each that is shipped is tested here, says what it models and what is good, and stands in the docs', () => {
  const page = readFileSync('docs/simulation.md', 'utf8');
  const names = readdirSync('scenarios').map((file) => file.replace(/\.toml$/, ''));
  assert.deepEqual(names.sort(), [...Object.keys(GOOD), 'fork-bomb', 'old-leak'].sort());
  for (const name of names) {
    const text = readFileSync(`scenarios/${name}.toml`, 'utf8');
    assert.match(text, /^#[\s\S]*\n# Models [\s\S]*\n# Good: [\s\S]*\nversion = 1\n/, name);
    assert.ok(text.includes(`\nname = "${name}"\n`), name);
    assert.ok(page.includes(`| \`${name}\` |`), name);
  }
});
