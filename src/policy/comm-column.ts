/** Stage: table → selection. Names of the rows of an engine, for who asks about all of them in one snapshot after the other. */
import * as L from '../../assembly/layout.js';
import { decodeComm } from '../comm.js';
import type { Engine } from '../engine.js';

/** u32 of a comm. */
const WORDS = L.COMM_BYTES / 4;

/** A row mostly holds whom it held before: a name is decoded again only where its bytes are others. */
export class CommColumn {
  readonly #engine: Engine;
  readonly #names: string[] = [];
  #cells: Uint32Array = new Uint32Array(0);
  /** The bytes that the names were decoded from. */
  #known: Uint32Array = new Uint32Array(0);

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** There is another snapshot. */
  begin(): void {
    const { memory, count } = this.#engine;
    this.#cells = new Uint32Array(memory.buffer, this.#engine.cell(L.C_COMM, 0, L.COMM_BYTES), count * WORDS);
    if (this.#known.length >= this.#cells.length) return;
    const known = new Uint32Array(this.#cells.length);
    known.set(this.#known);
    this.#known = known;
  }

  /** The name in a row of the snapshot that was begun last. */
  at(slot: number): string {
    const [cells, known] = [this.#cells, this.#known];
    const first = slot * WORDS;
    let same = this.#names[slot] !== undefined;
    for (let word = first; same && word < first + WORDS; ++word) same = cells[word] === known[word];
    return same ? this.#names[slot]! : this.#decode(slot);
  }

  #decode(slot: number): string {
    const first = slot * WORDS;
    this.#known.set(this.#cells.subarray(first, first + WORDS), first);
    const from = this.#engine.cell(L.C_COMM, slot, L.COMM_BYTES);
    const name = decodeComm(this.#engine.bytes.slice(from, from + L.COMM_BYTES));
    this.#names[slot] = name;
    return name;
  }
}
