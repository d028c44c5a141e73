// One frame of badness top, as text: what stands where, what gives way on small screens, and names that can do no harm.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bar, memoryLine, pressureLines, swapLine } from '../../src/cli/top-meters.js';
import { HELP_LINES, type TopView, topLines } from '../../src/cli/top-view.js';
import fc from './support/fast-check.js';
import { evening, METERS, renamed } from './support/top-scene.js';

const texts = (view: TopView, columns: number, rows: number) => topLines(view, columns, rows).map(({ text }) => text);

const GUARD = {
  words: 'pid 640, system, enforcing, scheme badness; warn; 1 protected, 0 queued, 2 rounds',
  decisions: ['2026-11-20T18:41:07Z term: released: 3977 (leaky-tool), 704,331 points: 2.70 GiB freed, 41 ms'],
};

describe('top: a frame', () => {
  test('80×24, with a guard', async () => {
    assert.deepEqual(texts(await evening({ guard: GUARD }), 80, 24), [
      'badness top: 7 tasks, up 11 d 13 h           scheme badness, by points  19:03:12',
      'mem   [#############--------] 34.0 % available, 4.96 GiB of 15.3 GiB',
      'swap  [################-----] 22.5 % free, 879 MiB of 3.81 GiB',
      'some  [##-------------------] 12.34 % of 10 s, 3.50 of 60 s, 0.70 of 300 s',
      'full  [#--------------------] 4.01 % of 10 s, 0.90 of 60 s, 0.02 of 300 s',
      'guard pid 640, system, enforcing, scheme badness; warn; 1 protected, 0 queued, …',
      '',
      '   #   PID  POINTS    MEMORY  AGE      CPU  ADJ  USER      NAME',
      '>* 1  4231  861708  3.29 GiB  33m  0:21.00    0  1000      leaky-tool',
      '   2   812  228049  3.48 GiB  11d   13h36m    0  postgres  postgres',
      '   3  4240  210000   820 MiB  50m     1:30    0  1000      tsc',
      '   4  4200   22500   352 MiB   1h     3:20    0  1000      agent',
      ...Array.from({ length: 7 }, () => ''),
      'next victim: 4231 (leaky-tool): gives back 3.29 GiB, 33 min old, nothing',
      '  discounts it',
      'last decisions of the guard',
      '  2026-11-20T18:41:07Z term: released: 3977 (leaky-tool), 704,331 points: 2.70 …',
      'q quit  s scheme  o sort  p protect  e explain  g guard  space pause  h help',
    ]);
  });

  test('on a low screen decisions, stalls, swap, guard and memory give way, in that order, and the table never', async () => {
    const view = await evening({ guard: GUARD });
    const head = (rows: number) =>
      texts(view, 80, rows)
        .filter((line) => /^(mem|swap|some|full|guard|last|next|badness|q quit)/.test(line))
        .map((line) => line.split(' ')[0]);
    assert.deepEqual(head(16), ['badness', 'mem', 'swap', 'some', 'full', 'guard', 'next', 'last', 'q']);
    assert.deepEqual(head(14), ['badness', 'mem', 'swap', 'some', 'full', 'guard', 'next', 'q']);
    assert.deepEqual(head(12), ['badness', 'mem', 'swap', 'guard', 'next', 'q']);
    assert.deepEqual(head(10), ['badness', 'mem', 'guard', 'next', 'q']);
    assert.deepEqual(head(9), ['badness', 'mem', 'next', 'q']);
    assert.deepEqual(head(8), ['badness', 'next', 'q']);
    assert.deepEqual(head(7), ['badness', 'next']);
    assert.deepEqual(head(6), ['next']);
    for (const rows of [16, 14, 12, 10, 9, 8, 6, 4, 3, 2]) {
      assert.ok(
        texts(view, 80, rows).some((line) => line.startsWith('>* 1  4231')),
        `${rows} rows`,
      );
    }
  });

  test('on a narrow screen columns and bars give way', async () => {
    const view = await evening();
    assert.match(texts(view, 30, 24).join('\n'), /^ {4}PID {2}POINTS {2}NAME\n>\* 4231 {2}861708 {2}leaky-tool$/m);
    assert.equal(texts(view, 40, 24)[0], 'badness top: 7 tasks, up 11 d 13 h');
    assert.equal(texts(view, 60, 24)[0], 'badness top: 7 tasks, …  scheme badness, by points  19:03:12');
    assert.ok(texts(view, 60, 24).includes('mem   34.0 % available, 4.96 GiB of 15.3 GiB'));
    assert.ok(texts(view, 200, 24)[1]!.startsWith(`mem   [${'#'.repeat(24)}`));
  });

  test('any size: as many lines as asked for, none wider', async () => {
    const views = [
      await evening({ guard: GUARD }),
      await evening({ rows: [], victim: null }),
      await evening({ choices: { scheme: 'linux-2.6.10', sort: 'memory', selected: 3, panel: 'help', paused: true } }),
    ];
    for (const view of views) {
      for (let columns = 1; columns <= 130; columns += columns < 20 ? 1 : 11) {
        for (let rows = 1; rows <= 40; ++rows) {
          const lines = texts(view, columns, rows);
          assert.equal(lines.length, rows);
          for (const line of lines) assert.ok([...line].length <= columns, `${columns}×${rows}: ${line}`);
        }
      }
    }
  });

  test('the row of the cursor is shown wherever it stands', async () => {
    const view = await evening();
    const rows = Array.from({ length: 50 }, (_, index) => ({ ...view.rows[1]!, tgid: 5000 + index, slot: 90 + index }));
    for (const at of [0, 7, 12, 13, 49]) {
      const selected = texts({ ...view, rows, at }, 80, 24).filter((line) => line[1] === '*');
      assert.equal(selected.length, 1);
      assert.match(selected[0]!, new RegExp(` ${5000 + at} `));
    }
  });

  test('who is protected stands in the table with the reason, faint, and is never marked', async () => {
    const view = await evening();
    const shielded = { ...view.rows[0]!, eligible: false, points: null, rank: null, reason: 'protected' } as const;
    const lines = topLines({ ...view, rows: [...view.rows.slice(1), shielded], victim: 4231, at: 3 }, 80, 24);
    const row = lines.find(({ text }) => text.includes('4231 ') && text.includes('leaky'))!;
    assert.match(row.text, /^ \* - {2}4231 +- +3\.29 GiB .* protected {2}leaky-tool$/);
    assert.deepEqual(row.styles, ['faint', 'selected']);
    assert.ok(lines.some(({ text }) => text.includes('WHY NOT')));
  });

  test('rows that were not told apart are said to be there', async () => {
    const lines = topLines(await evening({ cut: true }), 80, 24);
    const at = lines.findIndex(({ text }) => text.endsWith('agent'));
    assert.deepEqual(lines[at + 1], { text: '   … and others with fewer points, about equal', styles: ['faint'] });
  });

  test('a name is cut where the line ends, once', async () => {
    const view = await evening();
    const rows = [renamed(view.rows[0]!, 'fifteen-letters')];
    const [row] = texts({ ...view, rows }, 36, 24).filter((line) => line.startsWith('>*'));
    assert.equal(row, '>* 4231  861708  3.29 GiB  fifteen-…');
  });

  test('a short name is never cut: a column less is there instead', async () => {
    const view = await evening();
    const rows = view.rows.map((task) => renamed(task, 'hog'));
    for (let columns = 26; columns <= 80; ++columns) {
      const table = texts({ ...view, rows }, columns, 24).filter((line) => /^.{3}.*\d.* {2}(hog|h…|ho…|…)$/.test(line));
      assert.equal(table.filter((line) => line.endsWith('hog')).length, 4, `${columns} columns`);
    }
  });

  test('the last three decisions, or that there are none; words about the victim on two lines at most', async () => {
    const decisions = ['one', 'two', 'three', 'four'];
    const victimWords = 'because '.repeat(40).trim();
    const lines = texts(await evening({ guard: { words: 'up', decisions }, victimWords }), 80, 24);
    assert.deepEqual(lines.slice(-5, -1), ['last decisions of the guard', '  two', '  three', '  four']);
    assert.equal(lines.filter((line) => line.includes('because')).length, 2);
    const none = texts(await evening({ guard: { words: 'up', decisions: [] } }), 80, 24);
    assert.deepEqual(none.slice(-3, -1), ['last decisions of the guard', '  none yet']);
  });

  test('a message stands in the place of the keys, pause in that of the clock', async () => {
    const choices = { ...(await evening()).choices, paused: true };
    const lines = texts(await evening({ message: '812 (postgres) is protected', choices }), 80, 24);
    assert.equal(lines.at(-1), '812 (postgres) is protected');
    assert.match(lines[0]!, / {2}paused$/);
  });

  test('help and explanation take the place of the table', async () => {
    const view = await evening();
    const help = texts({ ...view, choices: { ...view.choices, panel: 'help' } }, 80, 26);
    for (const line of HELP_LINES) assert.ok(help.includes(line), line);
    assert.deepEqual(
      texts({ ...view, choices: { ...view.choices, panel: 'help' } }, 80, 12),
      HELP_LINES,
      'all else gives way',
    );
    const explanation = ['4231 (leaky-tool): gives back', '', `  base      ${'word '.repeat(30)}`.trimEnd()];
    const explained = texts({ ...view, choices: { ...view.choices, panel: 'explain' }, explanation }, 80, 24);
    assert.ok(explained.includes('4231 (leaky-tool): gives back'));
    assert.ok(
      explained.some((line) => line.startsWith(`${' '.repeat(12)}word`)),
      'long steps go on below',
    );
    assert.ok(!explained.some((line) => line.includes('POINTS')));
    const wide = [`${'漢'.repeat(8)} ${'word '.repeat(6)}`.trimEnd()];
    const lines = texts({ ...view, choices: { ...view.choices, panel: 'explain' }, explanation: wide }, 80, 24);
    assert.ok(
      lines.some((line) => line.startsWith(`${' '.repeat(12)}word`)) && !lines.some((line) => /word.*…/.test(line)),
    );
  });
});

/** One cell each in whatever terminal, and nothing that is not there to be seen. */
const HARMLESS = /^[ -~\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}…−×÷]*$/u;
const MARKS = /\p{M}/u;

describe('top: names can do no harm', () => {
  const NAMES: [comm: string, shown: string][] = [
    ['\x1b[2J\x1b]0;x\x07', '\\e[2J\\e]0;x\\x07'],
    ['a\u202eexe\u2066', 'a\\u{202e}exe\\u{2066}'],
    ['漢字', '\\u{6f22}\\u{5b57}'],
    ['a\u0301\u0301', 'a\\u{301}\\u{301}'],
    ['\ud83d\ude00', '\\u{1f600}'],
    ['\u05d0\u05d1', '\\u{5d0}\\u{5d1}'],
    ['ｆu', '\\u{ff46}u'],
    ['müllwächter', 'müllwächter'],
    ['x\udc9bm', 'x\\x9bm'],
    ['\u1160\u11a8', '\\u{1160}\\u{11a8}'],
    ['', "''"],
  ];

  test('in the table: what is not surely one cell is escaped, and columns hold', async () => {
    const view = await evening();
    for (const [comm, shown] of NAMES) {
      const rows = [renamed(view.rows[0]!, comm), view.rows[1]!];
      const lines = texts({ ...view, rows }, 80, 24);
      const [row, other] = lines.slice(8, 10);
      assert.ok(row!.endsWith(`  ${shown}`), row);
      assert.equal(row!.indexOf(shown), other!.lastIndexOf('postgres'), 'names stand under one another');
    }
  });

  test('a name of a user can do no harm to the column behind it', async () => {
    const view = await evening();
    const userName = (uid: number) => (uid === 110 ? '漢\u0301' : String(uid));
    const [row, other] = texts({ ...view, userName }, 80, 24).slice(8, 10);
    assert.equal(row!.indexOf('leaky-tool'), other!.indexOf('postgres'));
  });

  test('anywhere, whatever it is: only what can do no harm, and the size holds', async () => {
    const view = await evening();
    const any = fc.string({ unit: 'binary', maxLength: 40 });
    fc.assert(
      fc.property(any, any, any, any, (comm, words, decision, user) => {
        const shown = {
          ...{
            ...view,
            rows: [renamed(view.rows[0]!, comm)],
            victimWords: words,
            message: words,
            explanation: [comm, words],
          },
          ...{ guard: { words, decisions: [decision] }, userName: () => user },
          meters: { memory: words, pressure: decision },
        };
        for (const panel of ['tasks', 'explain'] as const) {
          for (const line of texts({ ...shown, choices: { ...view.choices, panel } }, 80, 24)) {
            assert.match(line, HARMLESS);
            assert.doesNotMatch(line, MARKS);
            assert.ok([...line].length <= 80, line);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('top: bars', () => {
  test('empty only for nothing, full only for all, nothing breaks them', () => {
    assert.equal(bar(0, 80), `[${'-'.repeat(21)}] `);
    assert.equal(bar(0.01, 80), `[#${'-'.repeat(20)}] `);
    assert.equal(bar(99.9, 80), `[${'#'.repeat(20)}-] `);
    assert.equal(bar(50, 80), `[${'#'.repeat(10)}${'-'.repeat(11)}] `);
    assert.equal(bar(250, 80), bar(100, 80));
    assert.equal(bar(-5, 80), bar(0, 80));
    assert.equal(bar(50, 65), '');
    assert.equal(bar(50, 500).length, 40);
  });

  test('without swap, and where nothing can be read', () => {
    const memory = { ...(METERS.memory as object), swapTotalKib: 0, swapFreeKib: 0 } as Exclude<
      typeof METERS.memory,
      string
    >;
    assert.equal(swapLine(memory, 80), 'swap  none');
    assert.equal(memoryLine('EACCES', 80), 'mem   cannot be read: EACCES');
    assert.equal(swapLine('EACCES', 80), 'swap  cannot be read');
    assert.deepEqual(pressureLines('no PSI', 80), ['psi   cannot be read: no PSI']);
  });
});
