/** docs/notifiers.md: its example runs and does what it says, and its tables hold the numbers of the code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as guard from '../../src/guard/index.js';
import * as policy from '../../src/policy/index.js';
import { PRESSURE, VICTIM } from './support/chain.js';
import { settle } from './support/manual-clock.js';

const page = readFileSync('docs/notifiers.md', 'utf8');
const ENTRIES: { readonly [name: string]: Record<string, unknown> } = {
  'badness/guard': guard,
  'badness/policy': policy,
};

/** The body of the example and the values that it imports, by name. */
function example() {
  const code = /```js\n([\s\S]*?)```/.exec(page)![1]!;
  const values: Record<string, unknown> = {};
  const body = code.replace(/^import \{(.*)\} from '(.*)';$/gm, (_, names: string, entry: string) => {
    for (const name of names.split(',').map((one) => one.trim())) {
      assert.ok(ENTRIES[entry]?.[name], `${entry} exports ${name}`);
      values[name] = ENTRIES[entry]![name];
    }
    return '';
  });
  return { body, values };
}

async function run(shrunkBy: number): Promise<string[]> {
  const done: string[] = [];
  const { body, values } = example();
  const given = {
    ...values,
    cache: { shrink: (pages: number) => (done.push(`asked for ${pages}`) ? shrunkBy : 0) },
    balancer: { leave: () => done.push('left') },
    actions: { exit: (status: number) => done.push(`exit ${status}`), reboot: assert.fail, run: assert.fail },
    kill: () => assert.fail('killed'),
    pressure: PRESSURE,
    victim: VICTIM,
  };
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  await new AsyncFunction(...Object.keys(given), `${body}\npanic.cancel();`)(...Object.values(given));
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
