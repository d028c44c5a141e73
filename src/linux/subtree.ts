/**
 * Stage: domain. Who belongs to the process at the top of a subtree: its descendants, found again after their parents are gone. Works for
 * every user and without native calls; docs/subtree.md says what can escape.
 *
 * A process is a member when it is not older than the root and
 *
 *     its parent is the root or a member, or
 *     the root or a member made its session, or a member made its process group, or
 *     its environment holds the cookie that the root gave its children.
 *
 * Once a member, a process is one for as long as it lives, whoever has become its parent. Sessions and groups carry the pid of the process
 * that made them, and the kernel does not hand this number out again while anybody is in them. A session made by an ancestor of the root,
 * such as that of a user's terminal, is thus never taken for a part of the subtree; nor is the root's own group, to which a shell adds
 * strangers (`agent | tee log`).
 */
import { BadnessError } from '../errors.js';
import { Arrivals, type Newcomer } from './arrivals.js';
import { isOutOfDescriptors } from './proc-files.js';
import { checkCookie, holdsCookie } from './subtree-cookie.js';
import { Member, ownerOf, readEnvironment, readStat } from './subtree-member.js';
import { DESCRIPTOR_KERNEL_BYTES, descriptorBudget } from './task-list.js';
import { userOf } from './task-status.js';

/** The process at the top, and how its members are found. */
export interface SubtreeOptions {
  /** The process at the top, a thread group id, 1 … 4194304. */
  readonly root: number;
  /** What `plantCookie` returned. Without it, a process whose parents are gone before it is first seen may be missed. */
  readonly cookie?: string;
  /** Where /proc is. Default `/proc`. */
  readonly procRoot?: string;
  /** Most descriptors kept open besides the root's. Default: an eighth of the hard limit, at most 2,048. */
  readonly maxDescriptors?: number;
}

/** `root_gone`: the process at the top has ended, and with it the subtree, whoever is left of it. */
export type SubtreeState = 'alive' | 'root_gone' | 'closed';

const PID_MAX = 4_194_304;
/** An environment is empty for a moment of every execve: so often it is read again, a refresh each. */
const LOOKS_AGAIN = 8;

/** The processes that come from one, followed while they live (docs/subtree.md). Reads /proc; signals nobody. */
export class SubtreeMembers {
  readonly root: number;
  readonly procRoot: string;
  readonly #cookie: string | undefined;
  /** Whose environments are read. */
  readonly #owner: number;
  readonly #top: Member;
  readonly #arrivals: Arrivals;
  readonly #members = new Map<number, Member>();
  /** Pids of members that are gone, and may still be the numbers of sessions and groups. */
  #leaders = new Set<number>();
  /** Strangers without an environment so far, and how often it will be looked at again. */
  readonly #blank = new Map<number, number>();
  #maxDescriptors: number;
  #state: SubtreeState = 'alive';
  #looks = 0;
  #mustLook = true;
  #changed = true;
  #names: readonly string[] = [];
  #everyone: readonly Member[] = [];

  /**
   * Holds the root; nobody else is looked at before the first {@link refresh}.
   * @throws RangeError for what can be no pid or no cookie; BadnessError `ESRCH` when there is no such process; errno names.
   */
  constructor(options: SubtreeOptions) {
    const { root, cookie, procRoot = '/proc' } = options;
    if (!Number.isInteger(root) || root < 1 || root > PID_MAX)
      throw new RangeError(`root must be a pid, 1..${PID_MAX}, got ${root}`);
    this.root = root;
    this.procRoot = procRoot;
    this.#cookie = cookie === undefined ? undefined : checkCookie(cookie);
    const stat = readStat(procRoot, root);
    const top = stat && Member.hold(procRoot, root, stat.startTicks, true);
    if (!top) throw new BadnessError('ESRCH', `the root of a subtree must be a process, and there is no ${root}`);
    this.#top = top;
    this.#owner = userOf(top.read('status') ?? '') ?? -1;
    this.#maxDescriptors = options.maxDescriptors ?? Math.floor(descriptorBudget(procRoot) / 2);
    this.#arrivals = new Arrivals(procRoot, top.startTicks);
  }

  get state(): SubtreeState {
    return this.#state;
  }

  /** Descriptors kept open now, and the kernel memory they cost (slab, in nobody's RSS), in bytes. */
  get kernelCost(): { descriptors: number; bytes: number } {
    const descriptors = [this.#top, ...this.#members.values()].filter((one) => one.keeps).length;
    return { descriptors, bytes: descriptors * DESCRIPTOR_KERNEL_BYTES };
  }

  /**
   * Brings the members up to date: some µs while the kernel has counted no fork, else a listing and a look at whoever is new.
   * @throws errno names when /proc cannot be listed or read (EMFILE); the members are those of before then.
   */
  refresh(): void {
    if (this.#state !== 'alive') return;
    if (!this.#top.running()) {
      this.#end('root_gone');
      return;
    }
    // Asked every time: the count must be that of before the listing.
    const forked = this.#arrivals.mayHaveForked();
    if (forked || this.#mustLook) this.#relieved(() => this.#look());
    this.#relieved(() => this.#lookAgain());
    this.#settle();
  }

  /** Members as of the last refresh without the root, the possible victims: pids as /proc spells them, in the order of strings. */
  pids(): readonly string[] {
    return this.#names;
  }

  /** The same with the root, which comes first: all whose memory counts. */
  everyone(): readonly Member[] {
    return this.#everyone;
  }

  /**
   * Whether `pid` is a member now, asked of the kernel; the root is none. Where this is true after a descriptor was opened below
   * /proc/PID, that descriptor is of the member.
   */
  has(pid: number): boolean {
    return this.#members.get(pid)?.alive() ?? false;
  }

  /** Closes the descriptors of all members. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#end('closed');
    this.#arrivals.close();
  }

  /** As `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #end(state: SubtreeState): void {
    this.#state = state;
    for (const member of this.#members.values()) member.close();
    this.#top.close();
    this.#members.clear();
    this.#names = [];
    this.#everyone = [];
  }

  /** When this process has no descriptor left, those kept here are given back, for good. */
  #relieved(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!isOutOfDescriptors(error) || this.#maxDescriptors === 0) throw error;
      this.#maxDescriptors = 0;
      for (const member of this.#members.values()) member.release();
      act();
    }
  }

  #look(): void {
    this.#mustLook = true;
    this.#looks += 1;
    // Before anybody is found gone: a parent that ends now was still the parent when these were read.
    const newcomers = this.#arrivals.look((pid, doubtful) => pid === this.root || this.#isStillMember(pid, doubtful));
    for (const member of this.#members.values()) if (member.listedIn !== this.#looks) this.#lose(member);
    this.#distrustLeaders();
    this.#judge(newcomers);
    this.#leaders = this.#stillLeading();
    this.#mustLook = false;
  }

  #isStillMember(pid: number, doubtful: boolean): boolean {
    const member = this.#members.get(pid);
    if (member === undefined || (doubtful && !member.alive())) return false;
    member.listedIn = this.#looks;
    return true;
  }

  #lose(member: Member): void {
    member.close();
    this.#members.delete(member.pid);
    this.#leaders.add(member.pid);
    this.#changed = true;
  }

  /** What a pid of the dead stands for is sure while a member is in what it made, or while it was not handed out again. */
  #distrustLeaders(): void {
    const held = new Set<number>();
    for (const member of this.#members.values()) {
      if (!this.#leaders.has(member.session) && !this.#leaders.has(member.group)) continue;
      if (member.update()) held.add(member.session).add(member.group);
    }
    for (const pid of this.#leaders) {
      if (!held.has(pid) && this.#arrivals.mayBeNew(pid)) this.#leaders.delete(pid);
    }
  }

  /** Those in whose session or group somebody is left; the others have no say any more. */
  #stillLeading(): Set<number> {
    const leading = new Set<number>();
    for (const { session, group } of this.#members.values()) {
      if (this.#leaders.has(session)) leading.add(session);
      if (this.#leaders.has(group)) leading.add(group);
    }
    return leading;
  }

  #judge(newcomers: readonly Newcomer[]): void {
    let others = this.#admitKin(newcomers);
    if (this.#cookie !== undefined && others.length > 0) {
      others = this.#admitKin(others.filter((one) => !this.#admitByCookie(one.pid, one.startTicks)));
    }
    for (const one of others) this.#arrivals.letGo(one);
  }

  /** Admits those who come from members, and those who come from these; returns the others. */
  #admitKin(newcomers: readonly Newcomer[]): readonly Newcomer[] {
    for (let others = newcomers; ; ) {
      const kin = new Set(others.filter((one) => this.#isKin(one)));
      if (kin.size === 0) return others;
      for (const { pid, startTicks } of kin) this.#admit(this.#hold(pid, startTicks));
      others = others.filter((one) => !kin.has(one));
    }
  }

  #isKin({ parent, group, session }: Newcomer): boolean {
    const isOurs = (pid: number) => this.#members.has(pid) || this.#leaders.has(pid);
    return parent === this.root || session === this.root || isOurs(parent) || isOurs(session) || isOurs(group);
  }

  #hold(pid: number, startTicks: number): Member | null {
    return Member.hold(this.procRoot, pid, startTicks, this.#members.size < this.#maxDescriptors);
  }

  /** Null: it is gone already. */
  #admit(member: Member | null): void {
    if (member === null) return;
    member.listedIn = this.#looks;
    this.#members.set(member.pid, member);
    this.#changed = true;
  }

  /**
   * Reads the environment: of the root's user only, and only where nothing else tells, because it may have to wait for pages that are
   * swapped out. True when the cookie is there, or nobody any more.
   */
  #admitByCookie(pid: number, startTicks: number): boolean {
    if (ownerOf(this.procRoot, pid) !== this.#owner) return false;
    const environ = readEnvironment(this.procRoot, pid);
    if (environ === null || holdsCookie(environ, this.#cookie!)) {
      if (environ !== null) this.#admit(this.#hold(pid, startTicks));
      return true;
    }
    if (environ === '' && !this.#blank.has(pid)) this.#blank.set(pid, LOOKS_AGAIN);
    return false;
  }

  /** Those that were seen in the middle of an execve, without any environment. */
  #lookAgain(): void {
    for (const [pid, left] of this.#blank) {
      const startTicks = this.#arrivals.startOf(pid);
      this.#blank.set(pid, left - 1);
      const found = startTicks !== undefined && this.#admitByCookie(pid, startTicks);
      // It was a member all the time: who is younger may come from it.
      if (found) this.#arrivals.forgetSince(startTicks);
      if (found) this.#mustLook = true;
      if (found || startTicks === undefined || left === 1) this.#blank.delete(pid);
    }
  }

  #settle(): void {
    for (const member of this.#members.values()) if (member.gone) this.#lose(member);
    if (!this.#changed) return;
    const members = [...this.#members.values()];
    this.#names = members.map((one) => String(one.pid)).sort();
    this.#everyone = [this.#top, ...members];
    this.#changed = false;
  }
}
