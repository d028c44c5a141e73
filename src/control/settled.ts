/** Stage: none (sockets). How a control server is asked for, and what comes of it on this machine. */
import { resolve } from 'node:path';
import { BadnessError } from '../errors.js';
import { loadNative, type Native, type NativeLoad } from '../linux/native.js';
import type { ControlledGuard } from './controlled.js';
import { groupNamed } from './groups.js';
import type { ControlLimits } from './limits.js';
import { defaultControlPath } from './place.js';

/** What a control socket serves, and where. `openControl` checks it. */
export interface ControlOptions {
  readonly guard: ControlledGuard;
  /** Default: `/run/badness/control.sock` for root, `$XDG_RUNTIME_DIR/badness/control.sock` for a user. */
  readonly path?: string;
  /** Name or number of a group whose members may use it too. */
  readonly group?: string | number;
  /** Lets every local process connect, to ask for its own protection and for nothing else. Default false. */
  readonly self?: boolean;
  /** Permissions of the socket. Default 0600, 0660 with a group, 0666 with `self`. */
  readonly mode?: number;
  /** `none` does without koffi, and so without `self`. */
  readonly native?: 'auto' | 'none' | undefined;
  /** Of the program, as it is told in `/state`. */
  readonly version?: string;
  readonly limits?: Partial<ControlLimits>;
}

const EVERYBODY = 0o006;
const GROUP = 0o060;

/** Whether the permissions of a socket let everybody in. */
export function isForEverybody(mode: number): boolean {
  return (mode & EVERYBODY) !== 0;
}

/** Everything about it that is settled when it opens. */
export interface Settled {
  readonly path: string;
  readonly mode: number;
  readonly group: number | null;
  readonly native: Native | null;
  readonly selfRefusal: BadnessError | null;
  readonly notes: readonly string[];
}

function checkMode(mode: number): number {
  if (Number.isInteger(mode) && (mode & ~0o777) === 0) return mode;
  throw new RangeError(`mode must be permissions within 0777, got 0${mode.toString(8)}`);
}

/** Rejects with BadnessError `ENOENT` where there is no default place; RangeError for a mode or a group that cannot be. */
export async function settle({ guard: _, ...options }: ControlOptions): Promise<Settled> {
  const { group: named, self = false, native: how } = options;
  const path = options.path ?? defaultControlPath();
  if (path === null) {
    throw new BadnessError('ENOENT', 'there is no place for a control socket: XDG_RUNTIME_DIR is not set; give a path');
  }
  const group = named === undefined ? null : groupNamed(named);
  const asked = checkMode(options.mode ?? (self ? 0o666 : group === null ? 0o600 : 0o660));
  // Who connects matters only where not all of them may do all.
  const asks = self || isForEverybody(asked);
  const { native, reason } = asks ? await loadForPeers(how) : { native: null, reason: null };
  const notes: string[] = [];
  let mode = asked;
  if (native === null && isForEverybody(asked)) {
    mode = asked & ~EVERYBODY & (group === null ? ~GROUP : ~0);
    notes.push(
      `callers cannot be told apart (${reason}), so the control socket is for those of mode 0${mode.toString(8)} only`,
    );
  }
  return { path: resolve(path), mode, group, native, selfRefusal: refuseSelf(self, native, reason), notes };
}

/** The native calls, where they can ask about a connection: that takes its descriptor. */
function loadForPeers(how: ControlOptions['native']): Promise<NativeLoad> {
  if (process.versions.bun !== undefined) {
    return Promise.resolve({ native: null, reason: 'Bun does not tell the descriptors of sockets' });
  }
  return loadNative(how ? { native: how } : {});
}

function refuseSelf(self: boolean, native: Native | null, reason: string | null): BadnessError | null {
  if (!self)
    return new BadnessError('EPERM', 'tasks may not protect themselves here; the guard was not told to allow it');
  return native === null ? new BadnessError('ENOSYS', `the kernel cannot be asked who connected: ${reason}`) : null;
}
