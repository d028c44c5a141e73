// badness top as it is shipped, on a pseudo-terminal, before a /proc whose names do what they can.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { LEAVE } from '../../../src/cli/top-screen.js';
import { fakeProc } from './fake-proc.js';
import { noPty, Pty, type PtyOptions } from './pty.js';
import { PaperScreen } from './top-scene.js';

export const skip = process.platform === 'linux' ? noPty : 'needs Linux';
const NAMES = ['hog', '\x1b[2J\x1b[31mred', 'm\u202eiddle', '漢字e\u0301', 'small'];
export const newProc = () =>
  fakeProc(NAMES.map((comm, index) => ({ pid: 40 + index, comm, rssKib: 700_000 - index * 100_000 })));

export const ROOT = newProc();
const CLI = 'dist/cli.js';
const ESCAPE = String.fromCharCode(27);
const ROW = new RegExp(`${ESCAPE}\\[(\\d+);1H`, 'g');
/** A sequence whose end is not there yet. */
const CUT_OFF = new RegExp(`${ESCAPE}(\\[[0-9;?]*)?$`);
export const COLOUR = new RegExp(`${ESCAPE}\\[[\\d;]*m`);
const SIZE = { columns: 80, rows: 24 };

/** `apart`: in a session of its own. */
export function top(
  t: TestContext,
  args: string[],
  { apart = false, ...options }: Partial<PtyOptions> & { apart?: boolean } = {},
): Pty {
  const command = [
    ...(apart ? ['setsid'] : []),
    process.execPath,
    CLI,
    'top',
    '--control',
    'none',
    '--every',
    '100',
    ...args,
  ];
  return new Pty(t, command, { ...SIZE, ...options });
}

/** What the terminal shows now. */
export function shown(pty: Pty, columns = SIZE.columns): string[] {
  const from = pty.output.lastIndexOf('\x1b[?1049h');
  if (from < 0) return [];
  const whole = pty.output.slice(from).replace(CUT_OFF, '');
  return new PaperScreen(columns).feed(whole).lines;
}

/** The last row written since everything was drawn anew. */
export function rowsDrawn(pty: Pty): number {
  const rows = pty.output.slice(pty.output.lastIndexOf('\x1b[H\x1b[2J')).matchAll(ROW);
  return Math.max(0, ...Array.from(rows, ([, row]) => Number(row)));
}

export const rowOf = (pty: Pty, pid: number) =>
  shown(pty).find((line) => new RegExp(`^.{3} *\\S+ +${pid} `).test(line)) ?? '';
export const begun = (pty: Pty) => pty.until('the first frame', () => shown(pty).length === 24);

/** The terminal is as it was: no other screen, a cursor, lines that wrap, the settings of before. */
export function clean(pty: Pty): void {
  const at = pty.output.indexOf(LEAVE);
  assert.ok(at > 0, `the last bytes give the terminal back: ${JSON.stringify(pty.output.slice(-200))}`);
  assert.equal(pty.output.lastIndexOf('\x1b[?1049h') < pty.output.lastIndexOf(LEAVE), true);
  assert.equal(pty.output.split(LEAVE).length, pty.output.split('\x1b[?1049h').length, 'as often given back as taken');
  assert.ok(pty.told('before')!.includes('icanon'));
  assert.equal(pty.told('after'), pty.told('before'));
}
