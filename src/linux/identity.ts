// Stage: identity. In: a pid. Out: a kept descriptor that answers for that very task and no other.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** Files under /proc/PID/ that need no permission to open and answer ESRCH once the task is gone. */
export type IdentityFile = 'stat' | 'statm' | 'oom_score';

/**
 * One task, held by an open descriptor under /proc/PID/. (pid, start time) is no identity: a pid reused within one clock tick
 * keeps both. The descriptor stays with the task it was opened on. It costs about 4.3 KiB of kernel memory while open.
 */
export interface Identity {
  readonly pid: number;
  /** True while that task exists, also as a zombie; false once it was reaped, whoever has the pid now. */
  alive(): boolean;
  /** The kept file, fresh, as Latin-1; null when the task is gone. */
  text(): string | null;
  /**
   * Another file under /proc/PID/ of the same task: read by name, then the descriptor is asked again.
   * @throws ESRCH when the task is gone, EACCES and other errors of the file by name.
   */
  read(name: string): string;
  close(): void;
}

const BUFFER_BYTES = 2048; // `stat` needs 52 fields of at most 20 digits

/**
 * Opens the identity of `pid` (1 … 4194304).
 * @throws ESRCH when there is no such task, EMFILE, EACCES (hidepid) by name.
 */
export function openIdentity(pid: number, file: IdentityFile = 'stat'): Identity {
  let fd: number;
  try {
    fd = openSync(`/proc/${pid}/${file}`, 'r');
  } catch (error) {
    // One name for "no such task", whether the directory was missing or the task died between lookup and open.
    throw errorCode(error) === 'ENOENT' ? goneError(pid) : error;
  }
  return keptIdentity(pid, fd);
}

/** An identity on a descriptor the caller already keeps, as the scan does. `close()` closes that descriptor. */
export function keptIdentity(pid: number, fd: number): Identity {
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  let open = true;
  const text = (): string | null => {
    if (!open) throw new Error(`identity of ${pid} is closed`); // a number reused by another file must never answer
    try {
      const length = readSync(fd, buffer, 0, BUFFER_BYTES, 0);
      return length > 0 ? buffer.toString('latin1', 0, length) : null;
    } catch (error) {
      if (errorCode(error) === 'ESRCH') return null;
      throw error;
    }
  };
  return {
    pid,
    text,
    alive: () => text() !== null,
    read(name) {
      let content: string | null = null;
      let failure: unknown = null;
      try {
        content = readFileSync(`/proc/${pid}/${name}`, 'latin1');
      } catch (error) {
        failure = error;
      }
      // Alive after the read: then the pid meant this task all the time before.
      if (text() === null) throw goneError(pid);
      if (content === null) throw failure;
      return content;
    },
    close() {
      if (!open) return;
      open = false;
      closeSync(fd);
    },
  };
}

/** The errno name of an error, or `UNKNOWN`. */
export function errorCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'UNKNOWN';
}

/** No such task: `ESRCH`, whichever call found out. */
export function goneError(pid: number): Error {
  return Object.assign(new Error(`task ${pid} is gone`), { code: 'ESRCH' });
}
