/** Stage: watch. In: a v1 memory cgroup and eventfd(2). Out: OOM, usage and pressure events of the 2010 interface, checked for what they prove. */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BadnessError } from '../errors.js';
import { KeyedFile } from '../proc/keyed-file.js';
import { isV1Root } from './cgroup-place.js';
import { KeptFile } from './kept-file.js';
import type { Native } from './native.js';

/** Files of a v1 memory cgroup that signal an eventfd, and what they take as argument. */
export type V1EventFile =
  /** Its group, or one above, is out of memory: before the kernel kills. No argument. */
  | 'memory.oom_control'
  /** Usage, page cache included, crosses so many bytes, upwards or downwards. */
  | 'memory.usage_in_bytes'
  /** Reclaim has trouble: `low`, `medium` or `critical`, with `,local` or `,hierarchy` (`,default`). */
  | 'memory.pressure_level';

/** One registered eventfd. Counts that nobody took add up. */
export interface V1Event {
  readonly dir: string;
  readonly eventfd: number;
  /** Signals since the last call; 0 when there were none. Never blocks. */
  take(): number;
  /** Unregisters by closing; the kernel then forgets it. */
  close(): void;
}

/** What to write to `cgroup.event_control`: exactly one blank between the parts. */
export function eventControlText(eventfd: number, control: number, argument = ''): string {
  return argument === '' ? `${eventfd} ${control}` : `${eventfd} ${control} ${argument}`;
}

/**
 * Registers an eventfd on a file of a group. Any number of listeners may. Registering on `memory.oom_control` while the group is under OOM
 * signals at once.
 * @throws BadnessError `EROOTCGROUP` for OOM events of the root, which would register and never fire; errno names: EINVAL for an argument
 * that the file does not take, ENOENT, ENODEV for a group that is gone, EACCES.
 */
export function openV1Event(native: Native, dir: string, file: V1EventFile, argument = ''): V1Event {
  if (file === 'memory.oom_control' && isV1Root(dir)) {
    throw new BadnessError('EROOTCGROUP', `${dir} is the root cgroup: it never signals OOM`);
  }
  const control = openSync(join(dir, file), 'r');
  let eventfd = -1;
  try {
    eventfd = native.eventfd();
    writeFileSync(join(dir, 'cgroup.event_control'), eventControlText(eventfd, control, argument));
  } catch (error) {
    if (eventfd >= 0) native.close(eventfd);
    throw error;
  } finally {
    closeSync(control); // the kernel keeps the file by itself
  }
  return keptEvent(native, dir, eventfd);
}

function keptEvent(native: Native, dir: string, eventfd: number): V1Event {
  const count = new Uint8Array(8);
  const words = new DataView(count.buffer);
  const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
  let open = true;
  return {
    dir,
    eventfd,
    take: () => {
      try {
        native.read(eventfd, count);
        return Number(words.getBigUint64(0, little));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
        throw error;
      }
    },
    close: () => {
      if (open) native.close(eventfd);
      open = false;
    },
  };
}

/** `memory.oom_control`: `oom_kill_disable 0`, `under_oom 0`, `oom_kill 3` (since 4.13; of this very group only). */
export interface V1OomState {
  readonly oomKillDisable: boolean;
  readonly underOom: boolean;
  /** Null before Linux 4.13. */
  readonly oomKills: number | null;
}

/**
 * What a wake-up meant. The kernel also signals when a group is removed, and by the time one looks a kill may be over:
 * `oom` is proved by under_oom or by a counted victim; `unproved` is an OOM that has passed, or whose victim was in another group.
 */
export type V1Meaning = 'oom' | 'removed' | 'unproved';

/** Reads `memory.oom_control` on a kept descriptor, which a group of the same name made later does not answer. */
export class V1OomReader {
  readonly #file: KeyedFile;
  #kills: number | null = null;

  /** @throws errno names. */
  constructor(dir: string) {
    const file = new KeptFile(join(dir, 'memory.oom_control'));
    this.#file = new KeyedFile(file, ['oom_kill_disable', 'under_oom', 'oom_kill'], 'pairs');
    this.#kills = this.read().oomKills;
  }

  /** @throws ENODEV when the group was removed, BadnessError `EBADMSG`. */
  read(): V1OomState {
    this.#file.refresh();
    const [disable, under, kills] = this.#file.values as unknown as [number, number, number];
    if (Number.isNaN(disable + under)) throw new BadnessError('EBADMSG', `${this.#file.path}: under_oom is missing`);
    return { oomKillDisable: disable === 1, underOom: under === 1, oomKills: Number.isNaN(kills) ? null : kills };
  }

  /** Looks what a signal meant, by what changed since the last look; the state is null when removed. @throws errno names but ENODEV. */
  look(): { readonly meaning: V1Meaning; readonly state: V1OomState | null } {
    let state: V1OomState;
    try {
      state = this.read();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENODEV') return { meaning: 'removed', state: null };
      throw error;
    }
    const killed = (state.oomKills ?? 0) > (this.#kills ?? 0);
    this.#kills = state.oomKills;
    return { meaning: state.underOom || killed ? 'oom' : 'unproved', state };
  }

  /** Closes its file. */
  close(): void {
    this.#file.close();
  }
}
