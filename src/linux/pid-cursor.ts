/**
 * Stage: bytes of /proc. Says which pids may by now stand for another process than at the look before, without opening them: pids
 * are handed out in a circle, and the kernel tells the last one.
 *
 *     /proc/loadavg      0.52 0.58 0.59 1/467 12345      the last pid of the reader's pid namespace
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const TEXT_BYTES = 128;
/** Where the kernel does not tell: the smallest that is usual, which only makes it doubt sooner. */
const PID_MAX_USUAL = 32_768;

export class PidCursor {
  readonly #fd: number;
  readonly #pidMax: number;
  readonly #text = Buffer.allocUnsafeSlow(TEXT_BYTES);
  #forks = Number.NaN;
  #from = Number.NaN;
  #to = Number.NaN;
  #all = true;

  constructor(root: string) {
    this.#fd = open(`${root}/loadavg`);
    this.#pidMax = readPidMax(root);
  }

  /**
   * A look begins, before it lists. `forks` as ForkWatch counts them: where there were more than pids between the last one then and
   * the last one now, the circle may be complete, or somebody chose a pid (clone3 with set_tid), and any pid may be new.
   */
  advance(forks: number): void {
    this.#from = this.#to;
    this.#to = this.#readLast();
    const ahead = this.#to - this.#from;
    const handedOut = ahead >= 0 ? ahead : ahead + this.#pidMax;
    // Not a number, whichever of them is not known, is in doubt too.
    this.#all = !(forks >= 0 && forks - this.#forks <= handedOut);
    this.#forks = forks >= 0 ? forks : Number.NaN;
  }

  /** The look that began has failed: what was handed out before it was not seen, so the next is in doubt of all. */
  forget(): void {
    this.#to = Number.NaN;
  }

  /** False only when `pid` was not handed out between the last two looks. */
  mayBeNew(pid: number): boolean {
    if (this.#all) return true;
    if (this.#from <= this.#to) return pid > this.#from && pid <= this.#to;
    return pid > this.#from || pid <= this.#to;
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
  }

  /** NaN where it is not told; a sandbox that makes the file up says 0. */
  #readLast(): number {
    if (this.#fd < 0) return Number.NaN;
    try {
      const length = readSync(this.#fd, this.#text, 0, TEXT_BYTES, 0);
      const last = /^\S+ \S+ \S+ \S+ (\d+)\n?$/.exec(this.#text.toString('latin1', 0, length))?.[1];
      return Number(last) || Number.NaN;
    } catch {
      return Number.NaN;
    }
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch {
    return -1;
  }
}

function readPidMax(root: string): number {
  try {
    return Number(readFileSync(`${root}/sys/kernel/pid_max`, 'latin1')) || PID_MAX_USUAL;
  } catch {
    return PID_MAX_USUAL;
  }
}
