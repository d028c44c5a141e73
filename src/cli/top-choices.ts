/** Stage: none (a screen). What whoever looks has chosen, and what a key changes of it. */
import type { SchemeName } from '../index.js';
import type { Key } from './top-keys.js';
import { SHOWN_SCHEMES } from './words.js';

export const SORTS = ['points', 'memory', 'age', 'cpu', 'pid', 'name'] as const;
export type Sort = (typeof SORTS)[number];

export interface Choices {
  readonly scheme: SchemeName;
  readonly sort: Sort;
  /** The pid where the cursor stands; null for the first row, whoever it is. */
  readonly selected: number | null;
  readonly panel: 'tasks' | 'explain' | 'help';
  readonly paused: boolean;
}

/** What is to be done besides showing the choices. */
export type Effect = 'none' | 'quit' | 'suspend' | 'redraw' | 'read' | 'protect' | 'ask';

export interface Pressed {
  readonly choices: Choices;
  readonly effect: Effect;
}

const PAGE = 10;
const NOWHERE = { choices: {}, effect: 'none' } as const;

/** Where the cursor stands among the pids shown. One that is not there any more leaves it where it is told to `fall`. */
export function selectedIndex(pids: readonly number[], selected: number | null, fall = 0): number {
  const at = selected === null ? 0 : pids.indexOf(selected);
  return at >= 0 ? at : Math.max(0, Math.min(fall, pids.length - 1));
}

function next<T>(all: readonly T[], one: T, step: number): T {
  return all[(all.indexOf(one) + step + all.length) % all.length]!;
}

function move(choices: Choices, pids: readonly number[], to: number): Partial<Choices> {
  if (choices.panel === 'help' || pids.length === 0) return {};
  const at = Math.max(0, Math.min(to, pids.length - 1));
  // Who stands first stays with whoever is first.
  return { selected: at === 0 ? null : pids[at]! };
}

type Change = { readonly choices: Partial<Choices>; readonly effect: Effect };
const show = (choices: Partial<Choices>): Change => ({ choices, effect: 'none' });
const act = (effect: Effect): Change => ({ choices: {}, effect });
const again = (choices: Partial<Choices>): Change => ({ choices, effect: 'read' });

function letterPressed(letter: string, choices: Choices, pids: readonly number[], at: number): Change {
  const { scheme, sort, panel, paused } = choices;
  switch (letter) {
    case 'q':
      return panel === 'tasks' ? act('quit') : show({ panel: 'tasks' });
    case 'k':
      return show(move(choices, pids, at - 1));
    case 'j':
      return show(move(choices, pids, at + 1));
    case 's':
      return again({ scheme: next(SHOWN_SCHEMES, scheme, 1) });
    case 'S':
      return again({ scheme: next(SHOWN_SCHEMES, scheme, -1) });
    case 'o':
      return again({ sort: next(SORTS, sort, 1) });
    case 'O':
      return again({ sort: next(SORTS, sort, -1) });
    case 'e':
      return show({ panel: panel === 'explain' ? 'tasks' : 'explain' });
    case 'h':
    case '?':
      return show({ panel: panel === 'help' ? 'tasks' : 'help' });
    case ' ':
      return paused ? again({ paused: false }) : show({ paused: true });
    case 'r':
      return act('read');
    case 'p':
      return act('protect');
    case 'g':
      return act('ask');
    default:
      return NOWHERE;
  }
}

/** What a key comes to while these pids are shown and the cursor stands at `at`. */
export function pressed(choices: Choices, key: Key, pids: readonly number[], at: number): Pressed {
  const { choices: changed, effect } =
    typeof key === 'string' ? named(key, choices, pids, at) : letterPressed(key.letter, choices, pids, at);
  return { choices: { ...choices, ...changed }, effect };
}

function named(key: Exclude<Key, object>, choices: Choices, pids: readonly number[], at: number): Change {
  switch (key) {
    case 'interrupt':
      return act('quit');
    case 'suspend':
      return act('suspend');
    case 'redraw':
      return act('redraw');
    case 'escape':
      return show({ panel: 'tasks' });
    case 'enter':
      return show({ panel: choices.panel === 'tasks' ? 'explain' : 'tasks' });
    case 'up':
      return show(move(choices, pids, at - 1));
    case 'down':
      return show(move(choices, pids, at + 1));
    case 'page-up':
      return show(move(choices, pids, at - PAGE));
    case 'page-down':
      return show(move(choices, pids, at + PAGE));
    case 'home':
      return show(move(choices, pids, 0));
    case 'end':
      return show(move(choices, pids, pids.length));
  }
}
