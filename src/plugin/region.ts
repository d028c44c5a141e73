/** Stage: table → points → table. Rows of the engine into the region of a plug-in, and its points back, checked, into the rows. */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import { BadnessError } from '../errors.js';
import { COLUMNS, HEADER_BYTES } from './layout.js';

const WORDS = { f64: Float64Array, u32: Uint32Array, i32: Int32Array } as const;

/** The rows that may be chosen, of the snapshot just scored: who may not is no matter of a plug-in. */
export function eligibleSlots(engine: Engine): number[] {
  const slots: number[] = [];
  for (let slot = 0; slot < engine.count; ++slot) if (!Number.isNaN(engine.f64(L.C_POINTS, slot))) slots.push(slot);
  return slots;
}

/** Copies these rows into a region, which begins at byte `at`, a multiple of 8, and is large enough. */
export function writeRegion(
  engine: Engine,
  slots: readonly number[],
  totalPages: number,
  buffer: ArrayBufferLike,
  at = 0,
): void {
  const { view, snapshot, memory } = engine;
  const header = new Float64Array(buffer, at, HEADER_BYTES / 8).fill(0);
  header.set([
    totalPages,
    view.getUint32(snapshot + L.S_PAGE_SIZE, true),
    view.getUint32(snapshot + L.S_HZ, true),
    view.getFloat64(snapshot + L.S_UPTIME_TICKS, true) / L.USER_HZ,
    slots.length,
  ]);
  for (const { type, bytes, offset, from } of COLUMNS) {
    const to = at + HEADER_BYTES + offset * slots.length;
    if (type === 'bytes') {
      const target = new Uint8Array(buffer, to, slots.length * bytes);
      slots.forEach((slot, index) => {
        const start = engine.cell(from, slot, bytes);
        target.set(engine.bytes.subarray(start, start + bytes), index * bytes);
      });
      continue;
    }
    const source = new WORDS[type](memory.buffer, engine.cell(from, 0, bytes), engine.count);
    const target = new WORDS[type](buffer as ArrayBuffer, to, slots.length);
    for (let index = 0; index < slots.length; ++index) target[index] = source[slots[index]!]!;
  }
}

/** A copy of the points in a region of `n` tasks: what changes there afterwards changes nothing any more. */
export function takePoints(n: number, buffer: ArrayBufferLike, at = 0): Float64Array {
  return Float64Array.from(new Float64Array(buffer, at + HEADER_BYTES, n));
}

/**
 * The points as they count: whole, rounded down. Throws BadnessError `EPLUGIN` for an answer that holds anything but 0 … 2^53: then none
 * of it counts.
 */
export function checkedPoints(points: Float64Array, engine: Engine, slots: readonly number[]): Float64Array {
  const bad = points.findIndex((value) => !(value >= 0 && value <= L.QUANTITY_MAX));
  if (bad >= 0) {
    const tgid = engine.u32(L.C_ID, slots[bad]!);
    throw new BadnessError('EPLUGIN', `points must be 0..2^53, got ${points[bad]} for task ${tgid}`);
  }
  // Adding 0 makes −0 the 0 that it is.
  return points.map((value) => Math.floor(value) + 0);
}

/** Puts points in the place of those of the scheme. */
export function writePoints(engine: Engine, slots: readonly number[], points: Float64Array): void {
  const column = new Float64Array(engine.memory.buffer, engine.cell(L.C_POINTS, 0, 8), engine.count);
  slots.forEach((slot, index) => {
    column[slot] = points[index]!;
  });
}
