// The account that the threads of listeners-race.test.ts keep beside the listeners: three cells a domain, then counters.

export const SYSTEM = 0;
export const A = 1;
export const B = 2;
/** Closed and opened again all the time. */
export const C = 3;
/** system ─ a ─ b. */
export const LINES: readonly (readonly number[])[] = [[SYSTEM], [A, SYSTEM], [B, A, SYSTEM]];

/** Calls of `begin` that are under way or have begun an event: never fewer than events. */
export const STARTED = 0;
/** Events whose `begin` has returned: never more than events. */
export const FINISHED = 1;
export const RECOVERED = 2;
export const CELLS_PER_DOMAIN = 3;

export const COUNTERS = [
  'ready',
  'done',
  'over',
  'rivals',
  'registered',
  'refused',
  'gone',
  'heardByB',
  'recoveredByB',
  'heardBySystem',
  'recoveredBySystem',
  'pings',
  'pongs',
  'lost',
  'extra',
  'late',
  'torn',
  'wedged',
] as const;
export type Counter = (typeof COUNTERS)[number];

export type Role = 'signaler' | 'waiter' | 'registrar' | 'pinger' | 'ponger';

export interface ListenerRaceData {
  memory: WebAssembly.Memory;
  cells: SharedArrayBuffer;
  role: Role;
  /** What the signaler signals, what the waiter waits for. */
  domain: number;
  rounds: number;
}

/** A wait that lasts this long was never going to end. */
export const WEDGED_MS = 60_000;

export class Account {
  readonly #cells: Int32Array<SharedArrayBuffer>;

  constructor(cells: SharedArrayBuffer) {
    this.#cells = new Int32Array(cells);
  }

  static get bytes(): number {
    return 4 * (LINES.length * CELLS_PER_DOMAIN + COUNTERS.length);
  }

  count(counter: Counter, by = 1): void {
    Atomics.add(this.#cells, LINES.length * CELLS_PER_DOMAIN + COUNTERS.indexOf(counter), by);
  }

  counted(counter: Counter): number {
    return Atomics.load(this.#cells, LINES.length * CELLS_PER_DOMAIN + COUNTERS.indexOf(counter));
  }

  add(domain: number, cell: number, by: number): void {
    Atomics.add(this.#cells, domain * CELLS_PER_DOMAIN + cell, by);
  }

  /** Sum of a cell over the domains that a listener on `domain` hears. */
  heard(domain: number, cell: number): number {
    return LINES[domain]!.reduce((sum, at) => sum + Atomics.load(this.#cells, at * CELLS_PER_DOMAIN + cell), 0);
  }
}
