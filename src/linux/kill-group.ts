// Stage: kill. In: a group that dies whole, its victim in hand. Out: signals to its other members, and who of them was left alone.

import type { KillReport, KillSignal } from '../guard/kill-report.js';
import type { KillLedger } from './kill-ledger.js';
import type { KillSystem, TaskHandle } from './kill-system.js';

/** Processes that are to end together with a victim that is one of them. */
export interface KillGroup {
  /** What binds them, and its name: a cgroup as a path below the mount, the number of a process group. */
  readonly by: 'memory.oom.group' | 'process group';
  readonly name: string;
  /** Every member now. */
  pids(): readonly number[];
  /** Who of these members is left alone all the same, and why. */
  spared(pids: readonly number[]): ReadonlyMap<number, string>;
}

/** Members may start others while they are being signalled. Whoever does that faster is for the next signal, or the next round. */
const PASSES_MOST = 16;

/** The rest of a group in one kill. Who cannot be signalled lives on: the memory of the victim comes back without that. */
export class GroupKill {
  readonly #system: KillSystem;
  readonly #ledger: KillLedger;
  readonly #group: KillGroup | null;
  readonly #killed = new Set<number>();
  #waitedFor: TaskHandle[] = [];
  readonly #spared = new Map<number, string>();

  constructor(system: KillSystem, ledger: KillLedger, group: KillGroup | null) {
    this.#system = system;
    this.#ledger = ledger;
    this.#group = group;
  }

  /** Those that were signalled and have not exited. */
  get pending(): TaskHandle[] {
    this.#waitedFor = this.#waitedFor.filter((handle) => !handle.exited());
    return this.#waitedFor;
  }

  /** For the report; undefined where there is no group. */
  get facts(): KillReport['group'] {
    if (!this.#group) return undefined;
    const spared = [...this.#spared].map(([tgid, reason]) => ({ tgid, reason }));
    const { by, name } = this.#group;
    return { by, name, killed: [...this.#killed], spared };
  }

  /** Signals every member but `others`, who have it already, until a look finds nobody new. */
  signal(signal: KillSignal, others: readonly TaskHandle[]): void {
    const known = new Set([...others.map(({ pid }) => pid), ...this.#killed]);
    this.#send(signal, this.pending);
    for (let pass = 0; this.#group && pass < PASSES_MOST; pass++) {
      const joined = this.#join(this.#group, known);
      if (joined.length === 0) return;
      this.#send(signal, joined);
    }
  }

  /** Members that are not known yet, opened. Whoever is a member still after that is the task in hand. */
  #join(group: KillGroup, known: Set<number>): TaskHandle[] {
    const opened = group.pids().flatMap((pid) => (known.has(pid) || this.#spared.has(pid) ? [] : this.#open(pid)));
    if (opened.length === 0) return [];
    const members = new Set(group.pids());
    const spared = group.spared(opened.map(({ pid }) => pid));
    return opened.filter((handle) => {
      const reason = this.#system.protection(handle.pid) ?? spared.get(handle.pid);
      known.add(handle.pid);
      if (reason) this.#spared.set(handle.pid, reason);
      return !reason && members.has(handle.pid);
    });
  }

  #open(pid: number): TaskHandle[] {
    try {
      const handle = this.#system.open({ pid });
      return handle.exited() ? [] : [handle];
    } catch (error) {
      this.#ledger.error('open', pid, error);
      return [];
    }
  }

  #send(signal: KillSignal, handles: readonly TaskHandle[]): void {
    for (const handle of handles) {
      try {
        handle.signal(signal);
      } catch (error) {
        const code = this.#ledger.error('kill', handle.pid, error);
        if (code !== 'ESRCH') this.#spared.set(handle.pid, code);
        continue;
      }
      this.#ledger.sent(handle.pid, signal);
      if (!this.#killed.has(handle.pid)) this.#waitedFor.push(handle);
      this.#killed.add(handle.pid);
      if (signal === 'SIGKILL') this.#ledger.raised(handle.pid, this.#system.raisePriority(handle));
    }
  }
}
