// A worker thread that holds 96 MiB, and tells so.
import { reportMemory } from 'badness/workers';

const HELD_BYTES = 96 * 2 ** 20;

globalThis.held = new Uint8Array(HELD_BYTES).fill(1);
reportMemory({ everyMs: 20 });
setTimeout(() => {}, 90_000);
