// An ordinary program that leaks 8 MiB every 25 ms, up to 160 MiB, and then does nothing. Ends by itself.
import process from 'node:process';

const STEP_BYTES = 8 * 2 ** 20;
const MOST = 20;
const LIFE_MS = 90_000;

const kept = [];
const growing = setInterval(() => {
  kept.push(new Uint8Array(STEP_BYTES).fill(1));
  if (kept.length === MOST) clearInterval(growing);
}, 25);
setTimeout(() => process.exit(kept.length), LIFE_MS);
