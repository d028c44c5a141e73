// The account that the threads of token-race.test.ts keep beside the engine: a few cells per domain, then counters.

export const HOLDERS = 0;
export const KILLS = 1;
/** The time of a domain; only who holds its token moves it on. */
export const CLOCK = 2;
export const CELLS_PER_DOMAIN = 3;

export const COUNTERS = [
  'rounds',
  'kills',
  'cancels',
  'busy',
  'takenOver',
  'inherited',
  'staleRefused',
  'lateLost',
  'siblings',
  'twoHolders',
  'twoKills',
  'lost',
  'staleAccepted',
  'wedged',
] as const;
export type Counter = (typeof COUNTERS)[number];

export interface RaceData {
  memory: WebAssembly.Memory;
  thread: number;
  rounds: number;
  /** Parent of each domain, −1 for the first: the tree as the test built it. */
  parents: number[];
  cells: SharedArrayBuffer;
}
