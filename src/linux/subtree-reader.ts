/**
 * Stage: watch → measure. In: the members of a subtree and a budget. Out: what of the budget is left, in KiB.
 *
 * The charge is the anonymous memory, swap and page tables of every member and of the root, and the shared memory that they map, once.
 * Page cache and mapped files are not charged: the kernel takes them back when it needs them.
 */
import { USER_HZ } from '../../assembly/layout.js';
import { BadnessError } from '../errors.js';
import type { MemoryReader } from '../pressure/memory-source.js';
import type { MemoryState } from '../pressure/memory-state.js';
import { errorCode } from './identity.js';
import { readMachine, readUptime } from './machine.js';
import type { SharerSource } from './sharers.js';
import type { SubtreeMembers } from './subtree.js';
import { Figures } from './subtree-figures.js';
import type { Member } from './subtree-member.js';

/** By what means the memory of a subtree is charged. */
export interface SubtreeReaderOptions {
  /** kcmp(2), where there are native calls. Without it two processes are taken to share one address space by looks. */
  readonly sharesVm?: SharerSource['sharesVm'];
}

const KIB = 1024;
const BUDGET_LEAST = 2 ** 20;
/** With so much of the budget in use every figure that may have changed is read, below it what is cheap. */
const NEAR_PERCENT = 70;
/** A status is read again after so many readings, whatever statm says: swap and page tables do not show there. */
const STATUS_EVERY = 16;
const MEASURE_EVERY = 16;
/** In one reading, pages of no more processes are counted when these hold so much. */
const MEASURE_MOST_KIB = 64 * 1024;
/** Between fork and execve a child is a copy of its parent, or even runs in its memory: no longer than this, usually. */
const YOUNG_TICKS = USER_HZ / 4;

export class SubtreeReader implements MemoryReader {
  readonly #members: SubtreeMembers;
  readonly #budgetKib: number;
  readonly #nearKib: number;
  readonly #sharesVm: SharerSource['sharesVm'];
  readonly #pageKib: number;
  #everyone: readonly Member[] = [];
  #figures: readonly Figures[] = [];
  /** By size of the address space, the first that has it and is counted. */
  readonly #bySize = new Map<number, Figures>();
  #reading = 0;
  /** The reading before which somebody came or went: parts of shared pages were others then. */
  #changedIn = 0;
  #chargeKib = 0;

  /** It does not own the members. @throws RangeError for a budget below 1 MiB. */
  constructor(members: SubtreeMembers, budgetBytes: number, options: SubtreeReaderOptions = {}) {
    if (!Number.isSafeInteger(budgetBytes) || budgetBytes < BUDGET_LEAST)
      throw new RangeError(`budgetBytes must be a whole number from ${BUDGET_LEAST}, got ${budgetBytes}`);
    this.#members = members;
    this.#budgetKib = Math.floor(budgetBytes / KIB);
    this.#nearKib = (this.#budgetKib * NEAR_PERCENT) / 100;
    this.#sharesVm = options.sharesVm ?? null;
    this.#pageKib = readMachine(members.procRoot).pageSize / KIB;
  }

  /**
   * The charge of the last reading. Below 70 % of the budget it may lack page tables of the last 16 readings, and hold what was given
   * back in them, and shared memory more than once.
   */
  get chargeBytes(): number {
    return this.#chargeKib * KIB;
  }

  /**
   * Refreshes the members and reads what they are charged.
   * @throws BadnessError `ESRCH` when the root is gone and the subtree with it; errno names (EMFILE) when /proc cannot be read.
   */
  read(): MemoryState {
    const members = this.#members;
    members.refresh();
    if (members.state !== 'alive') {
      throw new BadnessError(
        'ESRCH',
        `the subtree is ${members.state}: process ${members.root} at its top is not watched any more`,
      );
    }
    this.#reading += 1;
    this.#follow(members.everyone());
    this.#chargeKib = this.#charge();
    const availableKib = Math.max(0, this.#budgetKib - Math.ceil(this.#chargeKib));
    return {
      totalKib: this.#budgetKib,
      availableKib,
      basisKib: this.#budgetKib,
      swapTotalKib: 0,
      swapFreeKib: 0,
    };
  }

  /** Figures for newcomers; those of the others are kept. */
  #follow(everyone: readonly Member[]): void {
    if (everyone === this.#everyone) return;
    const before = new Map(this.#figures.map((one) => [one.member, one]));
    const figures = everyone.map((member) => before.get(member) ?? new Figures(member, this.#pageKib));
    const byPid = new Map(figures.map((one) => [one.member.pid, one]));
    for (const one of figures) one.parent = byPid.get(one.member.parent) ?? null;
    this.#everyone = everyone;
    this.#figures = figures;
    this.#changedIn = this.#reading;
  }

  #charge(): number {
    for (const { member } of this.#figures) member.measure();
    this.#findSharers();
    const counted = this.#figures.filter((one) => one.counted);
    for (const one of counted) {
      if (one.readIn < 0 || this.#reading - one.readIn >= STATUS_EVERY) one.readStatus(this.#reading);
    }
    let most = 0;
    for (const one of counted) most += one.anonKib + one.shmemKib + one.swapKib + one.tablesKib;
    if (most < this.#nearKib) return most;
    for (const one of counted) if (one.moved) one.readStatus(this.#reading);
    this.#measureParts(counted);
    return chargeKib(counted);
  }

  /** Leaves out who runs in the memory of another that is counted, or is a copy about to call execve. */
  #findSharers(): void {
    this.#bySize.clear();
    let ticks = Number.NaN;
    for (const one of this.#figures) {
      if (one.kind === 'young' && Number.isNaN(ticks)) ticks = Math.round(readUptime(this.#members.procRoot) * USER_HZ);
      one.counted = !one.member.gone && !this.#isCountedElsewhere(one, ticks);
      const { totalPages } = one.member;
      if (one.counted && totalPages > 0 && !this.#bySize.has(totalPages)) this.#bySize.set(totalPages, one);
    }
  }

  #isCountedElsewhere(one: Figures, ticks: number): boolean {
    const { parent } = one;
    const { totalPages, startTicks } = one.member;
    const age = ticks - startTicks;
    // Where /proc/uptime is of a container's own, it is no use beside start times of the machine.
    if (one.kind === 'young' && !(age >= 0 && age < YOUNG_TICKS)) one.settleKind(this.#reading);
    if (totalPages === 0) return false;
    if (parent !== null && !parent.member.gone) {
      if (one.kind === 'young' && one.isAsLargeAs(parent)) return true;
      if (this.#isSameMemory(one.member, parent.member)) return true;
    }
    const first = this.#bySize.get(totalPages);
    return first !== undefined && this.#isSameMemory(one.member, first.member);
  }

  /** By kcmp, else by looks: parent and child whose sizes are equal to the page. */
  #isSameMemory(one: Member, other: Member): boolean {
    if (one.totalPages !== other.totalPages) return false;
    try {
      if (this.#sharesVm !== null) return this.#sharesVm(one.pid, other.pid);
    } catch (error) {
      // Not permitted, or gone meanwhile: by looks.
      if (errorCode(error) === 'UNKNOWN') throw error;
    }
    if (one.parent !== other.pid) return false;
    // They may have changed between the two readings, so once more.
    return looksSame(one, other) || (one.measure() && other.measure() && looksSame(one, other));
  }

  /** Of those that share pages: who was never measured first, then whose figures are oldest; copies before the one they are of. */
  #measureParts(counted: readonly Figures[]): void {
    const staleIn = Math.max(this.#changedIn - 1, this.#reading - MEASURE_EVERY);
    const due = counted.filter((one) => one.shares && (one.measuredIn <= staleIn || one.measuredIn < one.copiedIn));
    due.sort((a, b) => a.measuredIn - b.measuredIn || Number(b.kind === 'copy') - Number(a.kind === 'copy'));
    let walkedKib = 0;
    for (const one of due) {
      if (walkedKib > 0 && walkedKib + one.anonKib + one.shmemKib > MEASURE_MOST_KIB) return;
      one.measurePart(this.#reading);
      if (one.measuredIn === this.#reading) walkedKib += one.anonKib + one.shmemKib;
    }
  }
}

function looksSame(one: Member, other: Member): boolean {
  return (
    one.totalPages === other.totalPages &&
    one.residentPages === other.residentPages &&
    one.sharedPages === other.sharedPages
  );
}

/**
 * Shared memory counts once: the sum of everybody's part of it, but no less than what the largest maps, because what is mapped by others
 * outside is nevertheless there for the sake of the subtree.
 */
function chargeKib(counted: readonly Figures[]): number {
  let own = 0;
  let largest = 0;
  let parts = 0;
  for (const one of counted) {
    own += one.anonPartKib + one.swapKib + one.tablesKib;
    largest = Math.max(largest, one.shmemKib);
    parts += one.shmemPartKib;
  }
  return own + Math.max(largest, parts);
}
