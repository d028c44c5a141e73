// badness top where there is no terminal, a dumb one, or no colour; and wrong command lines.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { badness, onTerminal } from './support/badness.js';
import { begun, COLOUR, ROOT, rowOf, skip, top } from './support/top-pty.js';

describe('top without a terminal ranks once', () => {
  test('in a pipe, as rank does', { skip: process.platform !== 'linux' && 'needs Linux' }, () => {
    const { status, stdout, stderr } = badness(['top', '--proc', ROOT, '--every', '500', '--control', '/nowhere']);
    assert.deepEqual([status, stderr], [0, '']);
    assert.equal(stdout, badness(['rank', '--proc', ROOT]).stdout);
    const other = badness(['top', '--proc', ROOT, '--scheme', 'linux-5.9']);
    assert.equal(other.stdout, badness(['rank', '--proc', ROOT, '--scheme', 'linux-5.9']).stdout);
  });

  test('on a dumb one, and where nobody can press a key', { skip }, () => {
    for (const [args, env] of [
      [`top --proc ${ROOT}`, { TERM: 'dumb' }],
      [`top --proc ${ROOT}`, { TERM: '' }],
      [`top --proc ${ROOT} < /dev/null`, {}],
    ] as const) {
      const { stdout } = onTerminal(args, 80, 24, env)!;
      assert.match(stdout, /\nnext victim: 40 /);
      assert.ok(!stdout.includes('\x1b[?'), args);
    }
  });

  test('NO_COLOR: no colour, and the cursor and the victim are still marked', { skip }, async (t) => {
    for (const [args, env] of [
      [[], { NO_COLOR: '1' }],
      [['--no-color'], {}],
    ] as const) {
      const pty = top(t, ['--proc', ROOT, ...args], { env });
      await begun(pty);
      assert.match(rowOf(pty, 40), /^>\*/);
      pty.keys('q');
      await pty.status();
      assert.doesNotMatch(pty.output.replaceAll('\x1b[0m', ''), COLOUR);
    }
  });

  const USAGE: [args: string[], status: number, stderr: RegExp][] = [
    [['40'], 2, /^badness: top takes no operand, got "40"/],
    [['--every', '99'], 2, /^badness: --every must be an integer 100\.\.60000, got "99"\n$/],
    [['--json'], 2, /^badness: Unknown option '--json'; see badness top --help\n$/],
    [['--scheme', 'nope'], 4, /^badness: unknown scheme "nope"/],
    [['--proc', '/nowhere'], 5, /^badness: expected a Linux \/proc at \/nowhere/],
  ];
  for (const [args, status, stderr] of USAGE) {
    test(`badness top ${args.join(' ')} exits ${status}`, () => {
      const ran = badness(['top', ...args]);
      assert.deepEqual([ran.status, ran.stdout], [status, '']);
      assert.match(ran.stderr, stderr);
    });
  }
});
