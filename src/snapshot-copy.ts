/** Stage: table → report. The current snapshot of an engine as bytes of its own, row by row as it was decided on, and back again. */
import * as L from '../assembly/layout.js';
import type { Engine } from './engine.js';

/** Every column: where it starts in bytes per task, and how wide it is. */
export const COLUMNS: readonly [offset: number, width: number][] = (() => {
  const columns: [number, number][] = [];
  for (let offset = 0; offset < L.C_KIND; offset += 8) columns.push([offset, 8]);
  for (let offset = L.C_KIND; offset < L.C_COMM; offset += 4) columns.push([offset, 4]);
  columns.push([L.C_COMM, L.COMM_BYTES]);
  return columns;
})();

/** Bytes of a copy of so many rows. */
export function copyBytes(rows: number): number {
  return L.SNAPSHOT_HEADER_BYTES + rows * L.COLUMNS_BYTES;
}

/** Copies the current snapshot into the beginning of `into`, which has room for it (copyBytes). Allocates nothing. */
export function copySnapshot({ bytes, snapshot, count, capacity }: Engine, into: Uint8Array): void {
  into.set(bytes.subarray(snapshot, snapshot + L.SNAPSHOT_HEADER_BYTES));
  for (const [offset, width] of COLUMNS) {
    const from = snapshot + L.SNAPSHOT_HEADER_BYTES + offset * capacity;
    into.set(bytes.subarray(from, from + count * width), L.SNAPSHOT_HEADER_BYTES + offset * count);
  }
}

/** Rows of a copy. */
export function rowsOf(copy: Uint8Array): number {
  return new DataView(copy.buffer, copy.byteOffset).getUint32(L.S_COUNT, true);
}

/** Puts a copy in the place of the current snapshot of an engine with room for it. Its points are those that it was chosen by. */
export function restoreSnapshot({ bytes, view, snapshot, capacity }: Engine, copy: Uint8Array): void {
  const count = rowsOf(copy);
  if (count > capacity) throw new RangeError(`expected an engine for ${count} tasks, got one for ${capacity}`);
  bytes.set(copy.subarray(0, L.SNAPSHOT_HEADER_BYTES), snapshot);
  // What is prepared for a scheme depends on the engine's own memory.
  view.setUint32(snapshot + L.S_PREPARED, 0, true);
  for (const [offset, width] of COLUMNS) {
    const from = L.SNAPSHOT_HEADER_BYTES + offset * count;
    bytes.set(copy.subarray(from, from + count * width), snapshot + L.SNAPSHOT_HEADER_BYTES + offset * capacity);
  }
}
