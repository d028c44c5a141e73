// docs/top.md shows what is drawn, and names every key.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { pressed } from '../../src/cli/top-choices.js';
import { GuardWatch } from '../../src/cli/top-guard.js';
import { HELP_LINES, topLines } from '../../src/cli/top-view.js';
import { evening, scripted } from './support/top-scene.js';

// The picture has the times of a guard.
process.env.TZ = 'UTC';
const page = readFileSync('docs/top.md', 'utf8');

test('top.md: its picture is what 80×24 shows of the evening', async () => {
  const watch = new GuardWatch(scripted().asks);
  await watch.poll();
  const view = await evening();
  const shielded = { ...view.rows[3]!, tgid: 3100, comm: 'gnome-shell', eligible: false, points: null, rank: null };
  const rows = [...view.rows, { ...shielded, reason: 'protected', chargePages: 110_000 } as const];
  const picture = topLines({ ...view, rows, at: 1, guard: watch.view }, 80, 24).map(({ text }) => text);
  assert.equal(/```text\n([\s\S]*?)```/.exec(page)![1], `${picture.join('\n')}\n`);
});

test('top.md: its keys are those that do something, and help has them too', () => {
  const choices = { scheme: 'badness', sort: 'points', selected: 2, panel: 'tasks', paused: false } as const;
  const table = page.slice(page.indexOf('| key |'), page.indexOf('## Whose'));
  for (let code = 32; code < 127; ++code) {
    const letter = String.fromCharCode(code);
    const { choices: next, effect } = pressed(choices, { letter }, [1, 2, 3], 1);
    const does = effect !== 'none' || JSON.stringify(next) !== JSON.stringify(choices);
    const name = letter === ' ' ? 'space' : letter;
    const told = (text: string) => text.split(/[\s,;|]+/).includes(name);
    const keys =
      Array.from(table.matchAll(/^\| (.*?) \|/gm), ([, cell]) => cell!).join(' ') +
      (table.includes('; r looks') ? ' r' : '');
    assert.equal(told(keys), does, `${letter} in the table`);
    if (does)
      assert.ok(
        HELP_LINES.some((line) => told(line.replace(/ {3,}.*/, '')) || /; r reads/.test(line)),
        `${letter} in the help`,
      );
  }
});
