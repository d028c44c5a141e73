/** Stage: none (state of a page). What is on the screen: the moment, its ranking, and whose row is where. */
import type { RankedTask } from '../index.js';
import type { Ranked } from './desk-calls.js';
import { rankedTask } from './names.js';
import type { RankingRows } from './ranking-view.js';
import type { Adjustments, Moment } from './story.js';

export class Shown implements RankingRows {
  readonly pageSize: number;
  readonly mostPages: number;
  /** Slots in the order of the rows: who may be chosen, worst first, then the others. */
  readonly #slots: Uint32Array;
  readonly #adjustments: ReadonlyMap<number, number>;

  constructor(
    readonly moment: Moment,
    readonly ranked: Ranked,
    adjustments: Adjustments,
  ) {
    const { order, reasons, chargePages } = ranked;
    this.pageSize = moment.machine.pageSize;
    this.#adjustments = new Map(adjustments);
    this.#slots = new Uint32Array(moment.tasks.length);
    this.#slots.set(order);
    this.#slots.set([...reasons.keys()].slice(0, moment.tasks.length - order.length), order.length);
    this.mostPages = chargePages.reduce((most, pages) => Math.max(most, pages), 0);
  }

  get count(): number {
    return this.#slots.length;
  }

  get eligible(): number {
    return this.ranked.order.length;
  }

  taskIn(slot: number): RankedTask {
    const task = this.moment.tasks[slot]!;
    const adj = this.#adjustments.get(task.tgid);
    return rankedTask(adj === undefined ? task : { ...task, oomScoreAdj: adj }, slot, this.ranked);
  }

  row(index: number): RankedTask {
    return this.taskIn(this.#slots[index]!);
  }

  isVictim(index: number): boolean {
    return this.#slots[index] === this.ranked.victim;
  }

  words(index: number): string {
    const slot = this.#slots[index]!;
    const reason = this.ranked.reasons.get(slot);
    const rank = this.ranked.classes.get(slot);
    return reason ?? (rank ? ` ${rank}` : '');
  }

  /** The row of a task, −1 when it is not there. */
  indexOf(tgid: number | null): number {
    if (tgid === null) return -1;
    return this.#slots.findIndex((slot) => this.moment.tasks[slot]!.tgid === tgid);
  }

  slotOf(tgid: number | null): number {
    return tgid === null ? -1 : this.moment.tasks.findIndex((task) => task.tgid === tgid);
  }
}
