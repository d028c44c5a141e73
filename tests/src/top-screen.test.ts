// What badness top writes to a terminal: the picture that is meant, and no more of it than has changed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENTER, LEAVE, Screen } from '../../src/cli/top-screen.js';
import type { Line, LineStyle } from '../../src/cli/top-view.js';
import fc from './support/fast-check.js';
import { PaperScreen } from './support/top-scene.js';

const PLAIN = (text: string) => text;
const plain = { victim: PLAIN, heading: PLAIN, faint: PLAIN, selected: PLAIN };
const colours = {
  ...plain,
  victim: (text: string) => `\x1b[1;31m${text}\x1b[0m`,
  selected: (text: string) => `\x1b[7m${text}\x1b[0m`,
};
const line = (text: string, ...styles: LineStyle[]): Line => ({ text, styles });

test('top screen: frame after frame it shows just these lines', () => {
  const frames = fc.array(
    fc.array(
      fc.string({ maxLength: 12 }).map((text) => line(text.trimEnd())),
      { minLength: 3, maxLength: 3 },
    ),
  );
  fc.assert(
    fc.property(frames, (all) => {
      const screen = new Screen(plain);
      const paper = new PaperScreen(12);
      for (const lines of all) {
        paper.feed(screen.draw(lines, 12));
        assert.deepEqual(
          [0, 1, 2].map((row) => paper.lines[row] ?? ''),
          lines.map(({ text }) => text),
        );
      }
    }),
  );
});

test('top screen: what has not changed is not written again, unless it was forgotten', () => {
  const screen = new Screen(plain);
  const lines = [line('one'), line('two'), line('')];
  assert.equal(screen.draw(lines, 10), '\x1b[H\x1b[2J\x1b[1;1H\x1b[2Kone\x1b[2;1H\x1b[2Ktwo\x1b[3;1H\x1b[2K');
  assert.equal(screen.draw(lines, 10), '');
  assert.equal(screen.draw([line('one'), line('three'), line('')], 10), '\x1b[2;1H\x1b[2Kthree');
  screen.forget();
  assert.ok(screen.draw(lines, 10).startsWith('\x1b[H\x1b[2J'));
});

test('top screen: another number of lines is another screen', () => {
  const screen = new Screen(plain);
  screen.draw([line('one'), line('two')], 10);
  const paper = new PaperScreen(10).feed(screen.draw([line('one'), line('two'), line('three')], 10));
  assert.deepEqual(paper.lines, ['one', 'two', 'three']);
});

test('top screen: the row of the cursor is a bar as wide as the screen, and every colour ends', () => {
  const bytes = new Screen(colours).draw([line('> a', 'victim', 'selected'), line('b')], 8);
  assert.ok(bytes.includes('\x1b[7m\x1b[1;31m> a     \x1b[0m\x1b[0m'), JSON.stringify(bytes));
  assert.ok(bytes.endsWith('\x1b[2Kb'));
});

test('top screen: it gives back every mode that it took', () => {
  const paper = new PaperScreen(80).feed(ENTER);
  assert.deepEqual([...paper.modes].sort(), [
    ['1049', true],
    ['25', false],
    ['7', false],
  ]);
  assert.deepEqual([...paper.feed(LEAVE).modes].sort(), [
    ['1049', false],
    ['25', true],
    ['7', true],
  ]);
});
