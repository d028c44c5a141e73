// However badness top ends or stops, the terminal is as it was before: the settings, the screen, the cursor.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { LEAVE } from '../../src/cli/top-screen.js';
import { processState } from './support/process-state.js';
import { begun, clean, newProc, ROOT, rowOf, skip, top } from './support/top-pty.js';

describe('top ends, and the terminal is as it was', { skip, concurrency: 2 }, () => {
  test('Ctrl-C', async (t) => {
    const pty = top(t, ['--proc', ROOT]);
    await begun(pty);
    pty.keys('\x03');
    assert.equal(await pty.status(), 0);
    clean(pty);
  });

  for (const [signal, number] of [
    ['SIGTERM', 15],
    ['SIGINT', 2],
    ['SIGHUP', 1],
    ['SIGQUIT', 3],
  ] as const) {
    test(`${signal}: whoever waits for it learns of the signal`, async (t) => {
      const pty = top(t, ['--proc', ROOT]);
      await begun(pty);
      pty.signal(signal);
      assert.equal(await pty.status(), 128 + number);
      clean(pty);
    });
  }

  test('something was thrown that nobody catches', async (t) => {
    const bomb = "data:text/javascript,process.on('SIGUSR2',()=>planned())";
    const pty = top(t, ['--proc', ROOT], { env: { NODE_OPTIONS: `--import=${bomb}` } });
    await begun(pty);
    pty.signal('SIGUSR2');
    assert.equal(await pty.status(), 1);
    clean(pty);
    const [before, after] = pty.output.split(LEAVE) as [string, string];
    assert.ok(!before.includes('planned') && after.includes('planned is not defined'), 'the error can be read');
  });

  test('/proc cannot be read any more: one line and its exit code', async (t) => {
    const root = newProc();
    const pty = top(t, ['--proc', root]);
    await begun(pty);
    rmSync(root, { recursive: true });
    assert.equal(await pty.status(), 5);
    clean(pty);
    assert.match(pty.output.split(LEAVE)[1]!, /^badness: expected a Linux \/proc at .*\r\n$/);
  });

  for (const session of ['of the terminal', 'of its own, which hears of no hang-up']) {
    test(`the window is closed, in a session ${session}`, async (t) => {
      const pty = top(t, ['--proc', ROOT, '--every', '60000'], { apart: session !== 'of the terminal' });
      await begun(pty);
      const pid = Number(pty.told('pid'));
      assert.match(processState(pid)!, /[SR]/);
      pty.hangUp();
      await pty.until('it has ended', () => [null, 'Z'].includes(processState(pid)));
    });
  }

  for (const how of ['Ctrl-Z', 'SIGTSTP'] as const) {
    test(`${how} stops it with the terminal given back, and it goes on where it was`, async (t) => {
      const pty = top(t, ['--proc', ROOT], { jobs: true });
      await begun(pty);
      pty.keys('j');
      await pty.until('the cursor', () => /^ \*/.test(rowOf(pty, 41)));
      if (how === 'Ctrl-Z') pty.keys('\x1a');
      else pty.signal('SIGTSTP');
      // The shell may go on before script(1) has passed on what the terminal got.
      await pty.until('the shell goes on', () => pty.told('stopped') !== null && pty.output.includes(LEAVE));
      assert.equal(processState(Number(pty.told('pid'))), 'T');
      assert.equal(pty.told('stopped'), pty.told('before'));
      assert.ok(pty.output.includes(LEAVE), JSON.stringify(pty.output.slice(-200)));
      pty.goOn();
      await pty.until(
        'it draws again',
        () => pty.output.lastIndexOf('\x1b[?1049h') > pty.output.lastIndexOf(LEAVE) && /^ \*/.test(rowOf(pty, 41)),
      );
      pty.keys('k');
      await pty.until('it hears keys', () => /^>\*/.test(rowOf(pty, 40)));
      pty.keys('q');
      assert.equal(await pty.status(), 0);
      clean(pty);
    });
  }

  test('stopped and continued from outside: it takes the terminal again, whatever it was set to meanwhile', async (t) => {
    const pty = top(t, ['--proc', ROOT]);
    await begun(pty);
    pty.signal('SIGSTOP');
    await pty.until('stopped', () => processState(Number(pty.told('pid'))) === 'T');
    spawnSync('stty', ['-F', pty.told('tty')!, 'sane']);
    const length = pty.output.length;
    pty.signal('SIGCONT');
    await pty.until('drawn again', () => pty.output.slice(length).includes('\x1b[24;1H'));
    // Without a newline it would not hear this one on a terminal that is as a shell has it.
    pty.keys('j');
    await pty.until('it hears keys', () => /^ \*/.test(rowOf(pty, 41)));
    pty.keys('q');
    assert.equal(await pty.status(), 0);
    assert.match(pty.told('after')!, / icanon .* echo /s);
  });
});
