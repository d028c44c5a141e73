/** Stage: domain. In: a pid and the start time it was seen with. Out: one process of a subtree, held so that its pid cannot come to mean another. */
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { isDead, parseTaskStat, type TaskStat } from '../proc/task-stat.js';
import { isForbidden, isGone, isOutOfDescriptors } from './proc-files.js';

/** As a number: Node takes a letter apart in every call. */
const O_RDONLY = 0;
const ZERO = 0x30;
const BLANK = 0x20;
/** More of a file is not looked at: an environment can be as large as somebody likes. */
const TEXT_BYTES = 128 * 1024;
/** Of every file in turn, in this thread. */
const text = Buffer.allocUnsafeSlow(TEXT_BYTES);

/** The start of a file, at most 128 KiB. @throws errno names. */
function readText(path: string): string {
  return text.toString('latin1', 0, readBytes(path));
}

function readBytes(path: string): number {
  const fd = openSync(path, O_RDONLY);
  try {
    return readSync(fd, text, 0, TEXT_BYTES, 0);
  } finally {
    closeSync(fd);
  }
}

/** The stat of a process by its pid alone; null when there is none. @throws EACCES (hidepid), EMFILE. */
export function readStat(root: string, pid: number): TaskStat | null {
  try {
    return parseTaskStat(readText(`${root}/${pid}/stat`));
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** Who owns /proc/PID: the effective user, or root when the process is not to be looked into; −1 when it is gone. */
export function ownerOf(root: string, pid: number): number {
  return statSync(`${root}/${pid}`, { throwIfNoEntry: false })?.uid ?? -1;
}

/**
 * The environment of a process as of its last execve: its first 128 KiB, `NAME=value` with a zero byte behind each. Null when the process
 * is gone; empty when it has none, or none that may be read.
 */
export function readEnvironment(root: string, pid: number): string | null {
  try {
    return readText(`${root}/${pid}/environ`);
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error;
    return isGone(error) ? null : '';
  }
}

/**
 * A kept descriptor on statm stays with the process it was opened on. Without one it is known by pid and start time, which another
 * process can have only if the pids went round within one clock tick.
 */
export class Member {
  readonly pid: number;
  /** 1/100 s since boot. */
  readonly startTicks: number;
  /** As of the last {@link update}. */
  parent = 0;
  group = 0;
  session = 0;
  /** Number of the look that listed it last. */
  listedIn = 0;
  /** As of the last {@link measure}: of statm, in pages. */
  totalPages = 0;
  residentPages = 0;
  /** Resident pages of files and of shared memory. */
  sharedPages = 0;
  readonly #folder: string;
  #fd = -1;
  #gone = false;

  private constructor(root: string, pid: number, startTicks: number) {
    this.#folder = `${root}/${pid}`;
    this.pid = pid;
    this.startTicks = startTicks;
  }

  /** Null when the process with this pid and start time is gone. @throws EMFILE and the like, by errno name. */
  static hold(root: string, pid: number, startTicks: number, keepDescriptor: boolean): Member | null {
    const member = new Member(root, pid, startTicks);
    try {
      if (keepDescriptor) member.#fd = openSync(`${member.#folder}/statm`, O_RDONLY);
      // Opened first and read by name then: what is read is of the process that is held.
      if (member.update()) return member;
    } catch (error) {
      member.close();
      if (!isGone(error)) throw error;
    }
    member.close();
    return null;
  }

  /** Whether it was found gone. A zombie is not gone. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Whether it keeps a descriptor. */
  get keeps(): boolean {
    return this.#fd >= 0;
  }

  /** Asks the kernel whether this very process exists, also as a zombie. @throws EMFILE without a kept descriptor. */
  alive(): boolean {
    if (this.#gone) return false;
    return this.keeps ? this.measure() : this.update();
  }

  /** Reads parent, group and session. False when it is gone, or hidden. */
  update(): boolean {
    const stat = this.stat();
    if (stat === null) return false;
    this.parent = stat.ppid;
    this.group = stat.pgrp;
    this.session = stat.sid;
    return true;
  }

  /** Its stat; null when it is gone, or hidden: it may have changed its user (hidepid), and is held all the same. */
  stat(): TaskStat | null {
    if (this.#gone) return null;
    let stat: TaskStat | null = null;
    let hidden = false;
    try {
      stat = parseTaskStat(readText(`${this.#folder}/stat`));
    } catch (error) {
      hidden = isForbidden(error);
      if (!hidden && !isGone(error)) throw error;
    }
    if (stat?.startTicks === this.startTicks && (!this.keeps || this.measure())) return stat;
    if (!hidden || !this.keeps) this.close();
    return null;
  }

  /** Reads how large it is. False when it is gone. */
  measure(): boolean {
    if (this.#gone) return false;
    try {
      const length = this.keeps ? readSync(this.#fd, text, 0, TEXT_BYTES, 0) : readBytes(`${this.#folder}/statm`);
      if (length > 0) {
        this.#parseStatm(length);
        return true;
      }
    } catch (error) {
      if (!isGone(error) && !isForbidden(error)) throw error;
    }
    this.close();
    return false;
  }

  /** False too when it has ended and was not waited for, unless threads of it go on. */
  running(): boolean {
    if (!this.measure()) return false;
    if (this.totalPages > 0) return true;
    const stat = this.stat();
    return stat !== null && !(isDead(stat.state) && stat.numThreads <= 1);
  }

  /** Another of its files; null when it is gone. @throws errno names: EACCES, ENOENT when this kernel has no such file. */
  read(name: string): string | null {
    let content = '';
    let failure: unknown = null;
    try {
      content = readText(`${this.#folder}/${name}`);
    } catch (error) {
      failure = error;
    }
    // Alive after the read: then the pid meant this process all the time before.
    if (!this.alive()) return null;
    if (failure !== null) throw failure;
    return content;
  }

  /** The status of a thread that has memory, where the leader has ended and shows none; null when there is none. */
  threadStatus(): string | null {
    const folder = `${this.#folder}/task`;
    try {
      // Its link count is 2 + the number of threads: of a zombie there is one, and nothing to be read.
      if (statSync(folder).nlink <= 3) return null;
      for (const tid of readdirSync(folder)) {
        const status = readText(`${folder}/${tid}/status`);
        if (status.includes('\nVmRSS:') && this.alive()) return status;
      }
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    return null;
  }

  /** Gives the descriptor back; from now on it is known by its start time. */
  release(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  /** It is gone, or nobody asks for it any more. */
  close(): void {
    this.release();
    this.#gone = true;
  }

  /** `total resident shared …` */
  #parseStatm(length: number): void {
    const numbers = [0, 0, 0];
    let at = 0;
    for (let index = 0; index < numbers.length; ++index) {
      for (; at < length && text[at]! !== BLANK; ++at) numbers[index] = numbers[index]! * 10 + text[at]! - ZERO;
      at += 1;
    }
    [this.totalPages, this.residentPages, this.sharedPages] = numbers as [number, number, number];
  }
}
