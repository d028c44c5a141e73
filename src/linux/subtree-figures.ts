/**
 * Stage: measure. What one member of a subtree is charged: by its statm, which is read every time; by its status, which is read when due;
 * and, where it maps pages that others map too, by its part of them (smaps_rollup), which costs most.
 */

import { imageMark } from '../proc/task-stat.js';
import { errorCode } from './identity.js';
import { isOutOfDescriptors } from './proc-files.js';
import type { Member } from './subtree-member.js';

/** Below this it does not matter whose pages they are. */
const WORTH_KIB = 1024;
/** One process is as large as another when its address space differs by no more than an eighth. */
const LIKE_PARTS = 8;

/** `young`: too young to tell. `copy`: forked from its parent without an execve since, so that they share pages until one writes. */
export type Kind = 'young' | 'copy' | 'own';

export class Figures {
  readonly member: Member;
  parent: Figures | null = null;
  kind: Kind = 'young';
  /** Number of the reading in which it was found to be a copy, or to have got one; −1 before. */
  copiedIn = -1;
  /** False while its memory is counted with another's. */
  counted = true;
  /** Number of the reading whose status this is; −1 before the first. */
  readIn = -1;
  swapKib = 0;
  tablesKib = 0;
  /** Number of the reading whose smaps_rollup this is; −1 before the first, Infinity when there is none to be read. */
  measuredIn = -1;
  readonly #pageKib: number;
  #anonKib = 0;
  #shmemKib = 0;
  #totalPages = 0;
  #residentPages = 0;
  #sharedPages = 0;
  /** Of smaps_rollup: pages divided by the number of those that map them, and the rest of the figures at that time. */
  #pssAnonKib = 0;
  #pssShmemKib = 0;
  #pssOfAnonKib = 0;
  #pssOfShmemKib = 0;

  constructor(member: Member, pageKib: number) {
    this.member = member;
    this.#pageKib = pageKib;
  }

  /** Anonymous memory. What has left since status was read may have been swapped out, so it still counts. */
  get anonKib(): number {
    const { residentPages, sharedPages } = this.member;
    return Math.max(this.#anonKib, (residentPages - sharedPages) * this.#pageKib);
  }

  /** Shared memory mapped. What has come since status was read may be mapped files as well, but it counts. */
  get shmemKib(): number {
    return this.#shmemKib + Math.max(0, this.member.sharedPages - this.#sharedPages) * this.#pageKib;
  }

  /** Whether status would tell something new. */
  get moved(): boolean {
    const { totalPages, residentPages, sharedPages } = this.member;
    // A leader that has ended shows nothing, whatever its threads do.
    if (totalPages === 0) return this.#anonKib > 0;
    return (
      totalPages !== this.#totalPages || residentPages !== this.#residentPages || sharedPages !== this.#sharedPages
    );
  }

  /** Whether others probably map a good part of what it maps. */
  get shares(): boolean {
    return this.shmemKib >= WORTH_KIB || (this.copiedIn >= 0 && this.anonKib >= WORTH_KIB);
  }

  /** Its part of anonymous memory. Of a copy nothing while all of it is still charged to its parent: until both were measured since. */
  get anonPartKib(): number {
    const { anonKib, parent } = this;
    if (!this.shares || this.measuredIn === Number.POSITIVE_INFINITY) return anonKib;
    const isWithParent = this.kind === 'copy' && parent?.counted === true && parent.measuredIn < this.copiedIn;
    if (this.measuredIn < 0 || isWithParent) return this.kind === 'copy' ? 0 : anonKib;
    return Math.min(anonKib, this.#pssAnonKib + Math.max(0, anonKib - this.#pssOfAnonKib));
  }

  /** Its part of shared memory; 0 before it was measured. */
  get shmemPartKib(): number {
    const { shmemKib } = this;
    if (this.measuredIn < 0 || this.measuredIn === Number.POSITIVE_INFINITY) return 0;
    return Math.min(shmemKib, this.#pssShmemKib + Math.max(0, shmemKib - this.#pssOfShmemKib));
  }

  isAsLargeAs(other: Figures): boolean {
    const difference = Math.abs(this.member.totalPages - other.member.totalPages);
    return difference * LIKE_PARTS <= other.member.totalPages;
  }

  /** Of an age at which execve is past: is it a copy of its parent? */
  settleKind(reading: number): void {
    const { parent } = this;
    const mark = parent !== null && this.isAsLargeAs(parent) ? markOf(this.member) : null;
    this.kind = mark !== null && mark === markOf(parent!.member) ? 'copy' : 'own';
    if (this.kind === 'own') return;
    this.copiedIn = reading;
    parent!.copiedIn = reading;
  }

  readStatus(reading: number): void {
    const { member } = this;
    const status = member.totalPages > 0 ? textOf(member, 'status') : (member.threadStatus() ?? '');
    this.readIn = reading;
    this.#totalPages = member.totalPages;
    this.#residentPages = member.residentPages;
    this.#sharedPages = member.sharedPages;
    // Before Linux 4.5 there is no RssAnon, and statm alone has to do.
    this.#anonKib = kib(status, 'RssAnon');
    this.#shmemKib = kib(status, 'RssShmem');
    this.swapKib = kib(status, 'VmSwap');
    this.tablesKib = kib(status, 'VmPTE') + kib(status, 'VmPMD');
  }

  /** Walks its page tables; a process of 64 MiB in about a quarter of a millisecond. */
  measurePart(reading: number): void {
    const rollup = readRollup(this.member);
    // In the middle of an execve there is nothing to be walked.
    if (rollup === '') return;
    // Before Linux 5.4 the parts are not told.
    const told = rollup?.includes('\nPss_Anon:') ? rollup : null;
    this.measuredIn = told === null ? Number.POSITIVE_INFINITY : reading;
    if (told === null) return;
    this.#pssAnonKib = kib(told, 'Pss_Anon');
    this.#pssShmemKib = kib(told, 'Pss_Shmem');
    this.#pssOfAnonKib = this.anonKib;
    this.#pssOfShmemKib = this.shmemKib;
  }
}

/** A file of a member; empty where it is gone, may not be read, or this kernel has none. */
function textOf(member: Member, name: string): string {
  try {
    return member.read(name) ?? '';
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error;
    return '';
  }
}

/** Empty when there is nothing to be walked now, null when there never is: not permitted, or not known to this kernel (before 4.14). */
function readRollup(member: Member): string | null {
  try {
    return member.read('smaps_rollup') ?? '';
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error;
    return errorCode(error) === 'ESRCH' ? '' : null;
  }
}

/** Null where the kernel hides it. */
function markOf(member: Member): string | null {
  return imageMark(textOf(member, 'stat'));
}

/** The value of a line `Key:   12 kB`; 0 when there is none. */
function kib(text: string, key: string): number {
  const at = text.indexOf(`\n${key}:`);
  return at < 0 ? 0 : Number.parseInt(text.slice(at + key.length + 2, at + key.length + 32), 10) || 0;
}
