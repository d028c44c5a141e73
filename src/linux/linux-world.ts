/** Stage: table → selection → kill, on this machine. One domain of it as the rounds see it. */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import type { GroupFacts, KillReport } from '../guard/kill-report.js';
import { Others } from '../guard/others.js';
import type { MemoryReading } from '../guard/round-report.js';
import type { Choice, Held, KillAsk, World } from '../guard/world.js';
import type { PointsSource } from '../plugin/points-source.js';
import type { Policy } from '../policy/policy.js';
import type { RowRules } from '../policy/row-rules.js';
import { slotOf } from '../rows.js';
import { Chooser } from './chooser.js';
import { type Exempt, exemptOthersTasks } from './exempt.js';
import type { FileCalls } from './file-calls.js';
import type { Identity } from './identity.js';
import { killTask } from './kill.js';
import type { KillGroup } from './kill-group.js';
import type { LinuxDomain } from './linux-domain.js';
import { readMachine, readPerCpuPages } from './machine.js';
import type { Protector } from './protector.js';
import { candidateIdentity } from './queue-tasks.js';
import { victimGroup } from './victim-group.js';

/** Milliseconds of the one clock that every thread reads. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + Math.floor(nanoseconds / 1e6);
}

/** How rounds treat the machine: others who kill, protection, native calls. */
export interface LinuxWorldOptions {
  /**
   * For guards: waits for a moment where others are killing, and does not choose whom it may not signal. Whoever asks for one round
   * means it, and is told of a refusal. Default false.
   */
  readonly heedOthers?: boolean;
  /** Who is protected, besides those never chosen. */
  readonly protector?: Protector;
  /** `none` does without koffi. */
  readonly native?: 'auto' | 'none' | undefined;
  /** How /proc is read. Default: by node:fs. */
  readonly files?: FileCalls | undefined;
  /** Those of the policy (openRules). Must be given where it has some. */
  readonly rules?: RowRules | null;
  /** Kills all of the victim's process group. Default false. */
  readonly processGroup?: boolean | undefined;
  /** That of the policy (openPluginScheme). Must be given where its scheme is one. */
  readonly plugin?: PointsSource | null;
}

/** It does not own the domain. Throws BadnessError `ENOTLINUX` without /proc. */
export class LinuxWorld implements World {
  readonly name: string;
  readonly pageSize: number;
  readonly #domain: LinuxDomain;
  #chooser: Chooser;
  readonly #exempt: Exempt;
  readonly #options: LinuxWorldOptions;
  /** Tasks that were killed and did not go, by id and start. */
  readonly #setAside = new Map<number, number>();
  readonly #engine: Engine;
  /** The last one, whose rows say who may not be killed with its victim. */
  #choice: Choice | null = null;
  readonly #others: Others | null;

  constructor(engine: Engine, policy: Policy, domain: LinuxDomain, options: LinuxWorldOptions = {}) {
    this.name = domain.name;
    this.pageSize = readMachine().pageSize;
    this.#domain = domain;
    this.#engine = engine;
    this.#options = options;
    this.#others = options.heedOthers ? new Others(engine, domain) : null;
    const others = options.heedOthers ? exemptOthersTasks() : null;
    this.#exempt = (staged) => {
      const dying = this.#isSetAside(staged.fields) ? L.TASK_MEMDIE : 0;
      return dying | (others?.(staged) ?? 0) | (options.protector?.exempt(staged) ?? 0);
    };
    this.#chooser = this.chooserFor(policy, options);
  }

  /** For whoever looks at the same tasks by the same rules, with an engine of its own. */
  get chooser(): Chooser {
    return this.#chooser;
  }

  /** One that chooses by another policy. Whoever does not `use` it closes it. */
  chooserFor(policy: Policy, { rules, plugin }: Pick<LinuxWorldOptions, 'rules' | 'plugin'>): Chooser {
    const { files } = this.#options;
    return new Chooser(this.#engine, policy, this.#domain, this.#exempt, { rules, plugin, files });
  }

  /** From now on this one chooses. Between two rounds. */
  use(chooser: Chooser): void {
    this.#chooser.close();
    this.#chooser = chooser;
  }

  nowMs(): number {
    return monotonicMs();
  }

  /** Memory of the domain now, bytes. Throws by errno name. */
  measure(): MemoryReading {
    const { availableKib, totalKib, swapTotalKib } = this.#domain.reader.read();
    const perCpuPages = this.#domain.kind === 'system' ? readPerCpuPages('/proc') : 0;
    return {
      availableBytes: availableKib * 1024,
      perCpuBytes: perCpuPages * this.pageSize,
      totalBytes: (totalKib + swapTotalKib) * 1024,
    };
  }

  pressureBegins(): void {
    this.#others?.pressureBegins();
  }

  shortageEnds(): void {
    this.#others?.shortageEnds();
  }

  choose(): Choice {
    this.#options.protector?.refresh();
    const choice = this.#chooser.choose();
    this.#choice = choice;
    if (choice.slot < 0 || !this.#others?.areKilling(this.measure().availableBytes, this.nowMs())) return choice;
    return { ...choice, outcome: 'in-flight', slot: L.E_IN_FLIGHT };
  }

  rowOf(tgid: number, choice: Choice): number {
    return this.#chooser.rowOf(tgid, choice);
  }

  hold(slot: number): Held | null {
    const identity = this.#chooser.identify(slot);
    if (identity === null || this.#domain.isMember(identity)) return identity;
    identity.close();
    return null;
  }

  holdQueued(candidate: { tgid: number; handle: number }): Held | null {
    return candidate.handle === 0 ? null : candidateIdentity(candidate);
  }

  kill(held: Held, ask: KillAsk): Promise<KillReport> {
    const { native } = this.#options;
    this.#chooser.makeRoom();
    const seenPages = this.#seenPages();
    const group = this.#groupOf(held.pid);
    const options = { ...ask, seenPages, group, ...(native ? { native } : {}) };
    return killTask({ pid: held.pid, identity: held as Identity }, options);
  }

  /** Whom the kernel would kill with it, and whom the policy's user wants to go along. */
  #groupOf(pid: number): KillGroup | null {
    const { kind, dir = null, members } = this.#domain;
    const choice = this.#choice;
    return victimGroup(pid, {
      within: kind === 'subtree' ? undefined : dir,
      processGroup: this.#options.processGroup,
      members,
      ineligible: (pids) => (choice ? this.#chooser.ineligible(pids, choice) : new Map()),
    });
  }

  along(held: Held): GroupFacts | null {
    const group = this.#groupOf(held.pid);
    if (!group) return null;
    const pids = group.pids().filter((pid) => pid !== held.pid);
    const spared = group.spared(pids);
    const killed = pids.filter((pid) => !spared.has(pid));
    return { by: group.by, name: group.name, killed, spared: [...spared].map(([tgid, reason]) => ({ tgid, reason })) };
  }

  /** As the current snapshot has it; 0 for one without a size of its own (QUANTITY_MAX there). */
  #seenPages(): Map<number, number> {
    const engine = this.#engine;
    const seen = new Map<number, number>();
    for (let slot = 0; slot < engine.count; ++slot) {
      const pages = engine.f64(L.C_TOTAL_VM, slot);
      seen.set(engine.u32(L.C_ID, slot), pages < L.QUANTITY_MAX ? pages : 0);
    }
    return seen;
  }

  setAside(held: Held): void {
    const slot = slotOf(this.#engine, held.pid);
    if (slot >= 0) this.#setAside.set(held.pid, this.#engine.f64(L.C_START_TICKS, slot));
  }

  /** Whether the task that is staged in the window is one of those; another with its pid started later. */
  #isSetAside(fields: Float64Array): boolean {
    if (this.#setAside.size === 0) return false;
    const startTicks = this.#setAside.get(fields[L.FIELD_TGID]!);
    return startTicks !== undefined && startTicks === fields[L.FIELD_START_TIME_TICKS];
  }

  /** Closes what its chooser keeps open. No round may follow. */
  close(): void {
    this.#chooser.close();
  }
}
