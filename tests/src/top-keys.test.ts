// The keyboard of badness top: bytes to keys, and what a key changes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Choices, pressed, SORTS, selectedIndex } from '../../src/cli/top-choices.js';
import { type Key, KeyReader } from '../../src/cli/top-keys.js';
import { SHOWN_SCHEMES } from '../../src/cli/words.js';
import fc from './support/fast-check.js';

const letter = (one: string): Key => ({ letter: one });

describe('top: bytes of a terminal', () => {
  const ROWS: [bytes: string, keys: Key[]][] = [
    ['q', [letter('q')]],
    ['\x1b[A\x1bOB\x1b[5~\x1b[6~', ['up', 'down', 'page-up', 'page-down']],
    ['\x1b[H\x1bOF\x1b[1~\x1b[4~\x1b[7~\x1b[8~', ['home', 'end', 'home', 'end', 'home', 'end']],
    ['\r\n\x03\x1c\x1a\x0c', ['enter', 'enter', 'interrupt', 'interrupt', 'suspend', 'redraw']],
    ['\x1b', ['escape']],
    ['\x1bq', ['escape', letter('q')]],
    // Nobody means these: other function keys, modifiers, control characters, what is not ASCII.
    ['\x1b[15~\x1b[1;5A\x1b[I\x01\x7f\xe4', []],
    // Whose letters would be keys by themselves.
    ['\x1b[3~\x1bOSp', [letter('p')]],
  ];
  for (const [bytes, keys] of ROWS) {
    test(JSON.stringify(bytes), () => assert.deepEqual(new KeyReader().read(bytes), keys));
  }

  test('a sequence that comes in pieces is the same key', () => {
    for (const bytes of ['\x1b[A', '\x1b[5~', '\x1bOB']) {
      for (let at = 2; at < bytes.length; ++at) {
        const reader = new KeyReader();
        assert.deepEqual(
          [...reader.read(bytes.slice(0, at)), ...reader.read(bytes.slice(at))],
          new KeyReader().read(bytes),
        );
      }
    }
  });

  test('whatever comes, in whatever pieces: it is read, and what follows it as well', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('\x1b', '[', 'O', ';', '5', '~', 'A', 'q', '\x00', '\xff') })),
        (pieces) => {
          const reader = new KeyReader();
          for (const piece of pieces) reader.read(piece);
          reader.read('~');
          assert.deepEqual(reader.read('x'), [letter('x')]);
        },
      ),
    );
  });
});

const CHOICES: Choices = { scheme: 'badness', sort: 'points', selected: null, panel: 'tasks', paused: false };
const PIDS = Array.from({ length: 30 }, (_, index) => 100 + index);
const press = (key: Key | string, more: Partial<Choices> = {}, at = 0) =>
  pressed({ ...CHOICES, ...more }, typeof key === 'string' && key.length === 1 ? letter(key) : (key as Key), PIDS, at);

describe('top: what a key comes to', () => {
  test('the cursor moves by one, by ten, to the ends, and not beyond', () => {
    const moves: [key: Key | string, at: number, selected: number | null][] = [
      ['down', 0, 101],
      ['j', 4, 105],
      ['up', 4, 103],
      ['k', 1, null],
      ['up', 0, null],
      ['down', 29, 129],
      ['page-down', 3, 113],
      ['page-down', 25, 129],
      ['page-up', 25, 115],
      ['page-up', 3, null],
      ['home', 20, null],
      ['end', 2, 129],
    ];
    for (const [key, at, selected] of moves)
      assert.equal(press(key, {}, at).choices.selected, selected, `${key} at ${at}`);
    assert.equal(pressed(CHOICES, 'down', [], 0).choices.selected, null);
    assert.equal(press('down', { panel: 'help' }).choices.selected, null);
  });

  test('the cursor stays with its task; when that is gone, with its place', () => {
    assert.equal(selectedIndex(PIDS, 107), 7);
    assert.equal(selectedIndex(PIDS, null, 9), 0);
    assert.equal(selectedIndex(PIDS, 5, 9), 9);
    assert.equal(selectedIndex([1, 2], 5, 9), 1);
    assert.equal(selectedIndex([], 5, 9), 0);
  });

  test('schemes and columns go round, both ways, and everything is read anew', () => {
    let choices = CHOICES;
    for (const scheme of [...SHOWN_SCHEMES.slice(1), 'badness']) {
      const { choices: next, effect } = pressed(choices, letter('s'), PIDS, 0);
      assert.deepEqual([next.scheme, effect], [scheme, 'read']);
      choices = next;
    }
    assert.equal(press('S').choices.scheme, SHOWN_SCHEMES.at(-1));
    assert.deepEqual([press('o').choices.sort, press('O').choices.sort], [SORTS[1], SORTS.at(-1)]);
    assert.equal(press('o').effect, 'read');
  });

  test('panels open and close; q closes one before it ends', () => {
    assert.equal(press('e').choices.panel, 'explain');
    assert.equal(press('enter').choices.panel, 'explain');
    assert.equal(press('enter', { panel: 'explain' }).choices.panel, 'tasks');
    assert.equal(press('h').choices.panel, 'help');
    assert.equal(press('?', { panel: 'help' }).choices.panel, 'tasks');
    assert.equal(press('h', { panel: 'explain' }).choices.panel, 'help');
    assert.equal(press('escape', { panel: 'help' }).choices.panel, 'tasks');
    assert.deepEqual(press('q', { panel: 'help' }), { choices: CHOICES, effect: 'none' });
    assert.equal(press('q').effect, 'quit');
    assert.equal(press('interrupt', { panel: 'help' }).effect, 'quit');
  });

  test('pause holds the picture, and going on looks at once', () => {
    assert.deepEqual(press(' '), { choices: { ...CHOICES, paused: true }, effect: 'none' });
    assert.deepEqual(press(' ', { paused: true }), { choices: CHOICES, effect: 'read' });
    assert.equal(press('r', { paused: true }).effect, 'read');
  });

  test('the rest asks for something, or is nothing', () => {
    assert.deepEqual(
      ['p', 'g', 'suspend', 'redraw', 'x', 'Q'].map((key) => press(key).effect),
      ['protect', 'ask', 'suspend', 'redraw', 'none', 'none'],
    );
  });
});
