/** Stage: report. `badness top`: the ranking, live, with memory, pressure, and what a guard that runs has done. */
import { DEFAULT_SCHEME } from '../index.js';
import { integer, readArguments, refuseOperands, schemeNamed, scoreOptions } from './arguments.js';
import { paletteFor } from './colour.js';
import { controlPath } from './guard-control.js';
import { commandHelp } from './help.js';
import type { Values } from './options.js';
import { writeLines } from './output.js';
import { showRanking } from './rank.js';
import { openEngineFor } from './source.js';
import { FrameReader } from './top-frame.js';
import { asksAt, GuardWatch } from './top-guard.js';
import { TopLoop } from './top-loop.js';

const EVERY_MS = 1000;
const EVERY_LEAST_MS = 100;
const EVERY_MOST_MS = 60_000;

/** Somewhere to draw, and somebody who can press a key. A dumb terminal is neither. */
function hasScreen(): boolean {
  const { TERM } = process.env;
  return (
    process.stdin.isTTY === true && process.stdout.isTTY === true && TERM !== undefined && !['', 'dumb'].includes(TERM)
  );
}

function watchFor(values: Values): GuardWatch {
  const { path } = controlPath(values);
  if (path !== null) return new GuardWatch(asksAt(path));
  return new GuardWatch(null, 'no control socket is known: --control PATH names it');
}

/** Runs the command. `argv` is what follows its name. */
export async function top(argv: string[]): Promise<void> {
  const { values, positionals } = readArguments('top', argv);
  if (values.help) return writeLines(commandHelp('top'));
  refuseOperands('top', positionals);
  const everyMs = integer('--every', values.every ?? String(EVERY_MS), EVERY_LEAST_MS, EVERY_MOST_MS);
  const asked = values.scheme === undefined ? undefined : schemeNamed(values.scheme);
  const scoring = scoreOptions(values);
  if (!hasScreen()) return showRanking(values);
  const guard = watchFor(values);
  await guard.poll();
  const root = values.proc ?? '/proc';
  const live = values.proc === undefined;
  const engine = await openEngineFor(root);
  const frames = new FrameReader({ engine, root, scoring, ...(live ? { except: process.pid } : {}) });
  const palette = paletteFor(true, values['no-color'] === true);
  const scheme = asked ?? guard.scheme ?? DEFAULT_SCHEME;
  const choices = { scheme, sort: 'points', selected: null, panel: 'tasks', paused: false } as const;
  const signal = await new TopLoop({ frames, guard, palette, everyMs, live }, choices).run();
  // Whoever waits for this process learns what ended it.
  if (signal !== null) process.kill(process.pid, signal);
}
