/** Stage: none (sockets). The control socket of `badness guard`: where it may be, whether it can, and what is said of it. */
import { isAbsolute, join, resolve } from 'node:path';
import {
  type Control,
  controlledGuard,
  defaultControlPath,
  findLiveGuard,
  type LiveGuard,
  openControl,
  takenError,
} from '../control/index.js';
import type { LinuxGuard } from '../linux/index.js';
import { usage } from './arguments.js';
import { CommandError, EXIT } from './exit.js';
import type { ControlValues } from './guard-options.js';
import { madeBy, version } from './help.js';

/** What a guard finds before it is opened. */
export interface ControlPlace {
  /** Null for no control socket. */
  readonly path: string | null;
  /** Who listens there already: of another domain, as far as it is not refused. */
  readonly live: LiveGuard | null;
  /** Why there is none, in words. */
  readonly note: string | null;
}

const NONE = 'none';

/** Where a guard listens, or a command looks for one: the option, BADNESS_CONTROL, or the place of this user. */
export function controlPath({ control }: ControlValues): { path: string | null; asked: boolean } {
  // A variable of a script that is not set: the guard of the machine is not who was meant.
  if (control === '') throw usage('--control must be a path or none, got ""');
  const named = control ?? process.env.BADNESS_CONTROL;
  if (named === NONE) return { path: null, asked: true };
  return named ? { path: resolve(named), asked: true } : { path: defaultControlPath(), asked: false };
}

function refusal(error: unknown): CommandError {
  const { message } = error as Error;
  return new CommandError(
    EXIT.noControl,
    `${message}; --control PATH names another place, --control none does without`,
  );
}

/** A place that was asked for and cannot be had is refused; without the usual one the guard does without, and says so. */
export async function findControlPlace(values: ControlValues): Promise<ControlPlace> {
  const { path, asked } = controlPath(values);
  if (path === null) {
    const why = asked ? 'as asked' : 'XDG_RUNTIME_DIR is not set; --control PATH names a place';
    return { path, live: null, note: `no control socket: ${why}` };
  }
  try {
    const live = await findLiveGuard(path);
    if (live && asked) throw takenError(path, live);
    return { path, live, note: null };
  } catch (error) {
    if (asked) throw refusal(error);
    return { path: null, live: null, note: `no control socket: ${(error as Error).message}` };
  }
}

/**
 * Where the values are kept that protection has changed, for a guard that comes after a crash: beside the socket and under its name, as a
 * service in its state. Of two guards each has its own: one takes what it finds for that of a guard that has died, and puts it back.
 */
export function protectionState({ path, live }: ControlPlace, env = process.env): { statePath?: string } {
  if (path === null || live) return {};
  // systemd.exec(5): what StateDirectory= names, with colons between.
  const [state = ''] = (env.STATE_DIRECTORY ?? '').split(':');
  return { statePath: isAbsolute(state) ? join(state, 'protected.json') : `${path}.protected.json` };
}

/** Null where there is to be none. Refuses a second guard of one domain. */
export async function openGuardControl(
  { path, live, note }: ControlPlace,
  guard: LinuxGuard,
  values: ControlValues,
): Promise<{ control: Control | null; notes: readonly string[] }> {
  if (path === null) return { control: null, notes: [note!] };
  if (live) {
    const taken = takenError(path, live);
    // One that does not say whom it guards may guard the same.
    if (live.domain === null || live.domain === guard.facts.domain) throw refusal(taken);
    return { control: null, notes: [`no control socket: ${taken.message}; --control PATH names another place`] };
  }
  const group = values['control-group'];
  const options = {
    guard: controlledGuard(guard, madeBy()),
    path,
    self: values['control-self'] === true,
    version: version(),
  };
  try {
    const { mode } = values;
    const access = { ...(group === undefined ? {} : { group }), ...(mode === undefined ? {} : { mode }) };
    const control = await openControl({ ...options, ...access });
    const words = `control: ${control.path}, mode 0${control.mode.toString(8)}; badness ctl --help`;
    return { control, notes: [words, ...control.notes] };
  } catch (error) {
    throw refusal(error);
  }
}
