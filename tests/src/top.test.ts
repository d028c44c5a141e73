// badness top as it is shipped, on a real pseudo-terminal: what it shows, what its keys do, a guard, and the size of the window.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { LEAVE } from '../../src/cli/top-screen.js';
import { report, scene } from './support/control-scene.js';
import { begun, clean, newProc, ROOT, rowOf, rowsDrawn, shown, skip, top } from './support/top-pty.js';
import { PaperScreen } from './support/top-scene.js';

describe('top on a terminal', { skip, concurrency: 2 }, () => {
  test('shows the ranking, the victim marked, and q gives the terminal back', async (t) => {
    const pty = top(t, ['--proc', ROOT]);
    await begun(pty);
    assert.match(rowOf(pty, 40), /^>\* 1 +40 .* hog$/);
    assert.match(
      shown(pty)[0]!,
      /^badness top: 5 tasks, up 1 h 23 min .* scheme badness, by points {2}\d\d:\d\d:\d\d$/,
    );
    assert.match(shown(pty).at(-1)!, /^q quit/);
    pty.keys('q');
    assert.equal(await pty.status(), 0);
    clean(pty);
    assert.ok(pty.output.endsWith(LEAVE));
  });

  test('names from /proc reach it escaped: nothing but what top itself draws moves anything', async (t) => {
    const pty = top(t, ['--proc', ROOT]);
    await begun(pty);
    pty.keys('jjje');
    await pty.until('the explanation', () => shown(pty).some((line) => line.includes('step by step')));
    pty.keys('\x1bq');
    await pty.status();
    // Throws at whatever it does not know, control characters among them.
    new PaperScreen(80).feed(pty.output);
    for (const harm of ['\u202e', '\u0301', '漢']) assert.ok(!pty.output.includes(harm));
    assert.match(pty.output, / \\e\[2J\\e\[31mred/);
    assert.match(pty.output, / m\\u\{202e\}iddle/);
    assert.match(pty.output, / \\u\{6f22\}\\u\{5b57\}e\\u\{301\}/);
  });

  test('keys: scheme, sorting, cursor, explanation, pause, help', async (t) => {
    const pty = top(t, ['--proc', ROOT]);
    await begun(pty);
    pty.keys('s');
    await pty.until('the next scheme', () => shown(pty)[0]!.includes('scheme resident'));
    pty.keys('S');
    await pty.until('the scheme before', () => shown(pty)[0]!.includes('scheme badness'));
    pty.keys('O');
    await pty.until('sorted by name', () => shown(pty)[0]!.includes('by name'));
    assert.ok(
      shown(pty).findIndex((line) => line.includes(' hog')) > shown(pty).findIndex((line) => line.includes('red')),
    );
    pty.keys('o\x1b[B\x1b[B');
    await pty.until('the cursor', () => /^ \*/.test(rowOf(pty, 42)));
    pty.keys('\r');
    await pty.until('the explanation', () => shown(pty).some((line) => line.includes('= points')));
    assert.ok(shown(pty).some((line) => line.startsWith('42 (m\\u{202e}iddle): gives back 488 MiB')));
    pty.keys('h');
    await pty.until('help', () => shown(pty).some((line) => line.includes('next scheme')));
    pty.keys('\x1b');
    await pty.until('the table again', () => rowOf(pty, 40) !== '');
    pty.keys(' ');
    await pty.until('paused', () => shown(pty)[0]!.endsWith('paused'));
    pty.keys('q');
    assert.equal(await pty.status(), 0);
    clean(pty);
  });

  test('who protects without a guard is told why not, until the next key', async (t) => {
    const pty = top(t, ['--proc', ROOT]);
    await begun(pty);
    pty.keys('p');
    const reason = 'protecting 40 (hog) needs a guard: no control socket';
    await pty.until('the reason', () => shown(pty).at(-1)!.startsWith(reason));
    pty.keys('j');
    await pty.until('the keys again', () => shown(pty).at(-1)!.startsWith('q quit'));
    pty.keys('q');
    assert.equal(await pty.status(), 0);
  });

  test('paused it does not look, and Ctrl-L draws everything anew', async (t) => {
    const root = newProc();
    const pty = top(t, ['--proc', root]);
    await begun(pty);
    pty.keys(' ');
    await pty.until('paused', () => shown(pty)[0]!.endsWith('paused'));
    // Whoever looked would find no /proc, and end.
    rmSync(root, { recursive: true });
    await new Promise((later) => setTimeout(later, 400));
    const length = pty.output.length;
    pty.keys('\x0c');
    await pty.until('everything', () => pty.output.slice(length).includes('\x1b[H\x1b[2J'));
    assert.match(rowOf(pty, 40), /^>\*/);
    pty.keys('q');
    assert.equal(await pty.status(), 0);
  });

  test('a guard: its words, its decisions, its scheme; p protects and ends it, g asks it', async (t) => {
    const { guard, control, path } = await scene(t);
    control.hear({ kind: 'round', atMs: 2, level: 'kill', report: report(), repeated: 0 });
    Object.defineProperty(guard, 'facts', { value: { ...guard.facts, scheme: 'resident' } });
    // Whatever is asked is shown when it is answered, not at the next look.
    const pty = top(t, ['--proc', ROOT, '--control', path, '--every', '60000']);
    await begun(pty);
    const words = `guard pid ${process.pid}, system, dry run, scheme resident; warn; 0 protected`;
    assert.match(shown(pty)[0]!, /scheme resident, by points/, 'and so the ranking is by that');
    assert.ok(shown(pty).some((line) => line.startsWith(words)));
    assert.match(shown(pty).at(-2)!, /^ {2}\d\d-\d\d \d\d:\d\d:\d\d kill: dry: nobody, 0 ms$/);
    pty.keys('p');
    await pty.until('protected', () => /^ {2} - {3}40 +- .*protected {2}hog$/.test(rowOf(pty, 40).replace('*', ' ')));
    assert.match(rowOf(pty, 41), /^>/, 'another is the next victim');
    pty.keys('g');
    await pty.until('the answer', () => shown(pty).at(-1)! === 'the guard would choose 40 (hog)');
    pty.keys('\x1b[F');
    await pty.until('the cursor on the last', () => /^ \*/.test(rowOf(pty, 40)));
    pty.keys('p');
    await pty.until('unprotected', () => /^>/.test(rowOf(pty, 40)));
    assert.deepEqual(guard.asked, [
      [40, true],
      [40, false],
    ]);
    pty.keys('q');
    assert.equal(await pty.status(), 0);
  });

  test('it follows the size of the window, down to nothing', async (t) => {
    // Nothing else draws meanwhile.
    const pty = top(t, ['--proc', ROOT, '--every', '60000']);
    await begun(pty);
    for (const [columns, rows] of [
      [120, 40],
      [40, 12],
      [9, 3],
      [1, 1],
      [80, 24],
    ] as const) {
      pty.resize(columns, rows);
      await pty.until(
        `${columns}×${rows}`,
        () => rowsDrawn(pty) === rows && shown(pty, columns).every((line) => [...line].length <= columns),
      );
    }
    pty.keys('q');
    assert.equal(await pty.status(), 0);
    clean(pty);
  });

  test('a terminal without a size is taken for 80×24', async (t) => {
    const pty = top(t, ['--proc', ROOT], { columns: 0, rows: 0 });
    await begun(pty);
    pty.keys('q');
    assert.equal(await pty.status(), 0);
  });
});
