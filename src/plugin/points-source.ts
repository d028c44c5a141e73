/** Stage: points. Points of a user's own in the place of a scheme's: the interface, and a function in the caller's own thread. */
import type { Engine } from '../engine.js';
import { regionBytes } from './layout.js';
import { checkedPoints, eligibleSlots, takePoints, writePoints, writeRegion } from './region.js';
import { askOfEach, type PointsFunction } from './task-function.js';

/** How a choice came by its points. */
export interface PluginReport {
  /** The file, or URL and export. */
  readonly name: string;
  /** False when the fallback scheme decided. */
  readonly answered: boolean;
  /** Why it did, in words; null when the plug-in answered. */
  readonly reason: string | null;
  /** What the question took, milliseconds; 0 when it was not asked. */
  readonly ms: number;
}

/** Who gives points in the place of a scheme, for the tasks that may be chosen. */
export interface PointsSource {
  /**
   * Puts points in the place of those of the snapshot just scored, for whoever may be chosen. Where it cannot, the points of the scheme
   * stand. `totalPages`: of the domain.
   */
  score(engine: Engine, totalPages: number): PluginReport;
  /** What it gave the task in a row, last time; null when it gave none. */
  pointsOf(slot: number): number | null;
}

/** What was given at a time: the points of each of these rows. */
export interface GivenPoints {
  readonly slots: readonly number[];
  readonly points: Float64Array;
}

export const NO_POINTS: GivenPoints = { slots: [], points: new Float64Array(0) };

/** Null for a row that got none. One is asked for at a time, so that nothing is made of the others. */
export function givenTo({ slots, points }: GivenPoints, slot: number): number | null {
  return points[slots.indexOf(slot)] ?? null;
}

/** A function in this thread: nothing bounds how long it takes, and what it throws is thrown. Throws TypeError for what is none. */
export class FunctionPoints implements PointsSource {
  readonly #points: PointsFunction;
  #last = NO_POINTS;

  constructor(points: PointsFunction) {
    if (typeof points !== 'function') throw new TypeError(`points must be a function, got ${typeof points}`);
    this.#points = points;
  }

  score(engine: Engine, totalPages: number): PluginReport {
    const slots = eligibleSlots(engine);
    const buffer = new ArrayBuffer(regionBytes(slots.length));
    writeRegion(engine, slots, totalPages, buffer);
    askOfEach(this.#points, slots.length, buffer);
    const points = checkedPoints(takePoints(slots.length, buffer), engine, slots);
    writePoints(engine, slots, points);
    this.#last = { slots, points };
    return { name: this.#points.name || 'function', answered: true, reason: null, ms: 0 };
  }

  pointsOf(slot: number): number | null {
    return givenTo(this.#last, slot);
  }
}
