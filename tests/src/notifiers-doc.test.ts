/** docs/notifiers.md: its example runs and does what it says, and its tables hold the numbers of the code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import * as guard from '../../src/guard/index.js';
import * as policy from '../../src/policy/index.js';
import { releaseBuilds } from './support/builds.js';
import { PRESSURE, VICTIM } from './support/chain.js';
import { runExample } from './support/doc-example.js';
import { settle } from './support/manual-clock.js';

const page = readFileSync('docs/notifiers.md', 'utf8');
async function run(shrunkBy: number): Promise<string[]> {
  const done: string[] = [];
  const given = {
    cache: { shrink: (pages: number) => (done.push(`asked for ${pages}`) ? shrunkBy : 0) },
    balancer: { leave: () => done.push('left') },
    actions: { exit: (status: number) => done.push(`exit ${status}`), reboot: assert.fail, run: assert.fail },
    kill: () => assert.fail('killed'),
    pressure: PRESSURE,
    victim: VICTIM,
  };
  await runExample(page, { 'badness/guard': guard, 'badness/policy': policy }, given, 'panic.cancel();');
  await settle();
  return done;
}

test('docs: the example of notifiers.md panics when the cache frees too little, and not when it frees enough', async () => {
  assert.deepEqual(await run(999), ['asked for 1000', 'left']);
  assert.deepEqual(await run(1000), ['asked for 1000']);
});

test('docs: the limits in notifiers.md are those of a default policy', () => {
  const { limits } = policy.definePolicy();
  const words = (ms: number) => (ms < 1000 ? `${ms} ms` : `${ms / 1000} s`);
  for (const phase of policy.PHASES) {
    const { eachMs, wholeMs } = limits[phase];
    const row = page.split('\n').find((line) => line.startsWith(`| \`${phase}\` |`));
    assert.ok(row?.endsWith(`| ${words(eachMs)} · ${words(wholeMs)} |`), `${phase}: ${row}`);
  }
});

const listeners = page.slice(page.indexOf('## Listeners across threads'));

for (const build of releaseBuilds) {
  test(`docs: the example of listeners in notifiers.md says what it says, ${build.name}`, async () => {
    const { memory } = build.open(1);
    const said: string[] = [];
    const given = { engine: { memory }, memory, log: (line: string) => said.push(line) };
    await runExample(listeners, { 'badness/guard': guard }, given);
    assert.deepEqual(said, ['1 × out of memory: domain 0, memory, 4242 goes', 'over: 1, under OOM: false']);
  });
}

test('docs: the limits of listeners in notifiers.md are those of the layout', () => {
  const most = (2 ** L.LISTENER_COUNT_BITS - 1).toLocaleString('en-US');
  for (const words of [`${L.LISTENERS_MAX} listeners`, `${L.REGISTRATIONS_MAX} registrations`, `stays at ${most}`]) {
    assert.ok(listeners.includes(words), words);
  }
});
