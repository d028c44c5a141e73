// A tool that leaks: 8 MiB every 25 ms, up to 320 MiB, and then hangs. It ends by itself after 30 s.
const STEP_BYTES = 8 * 2 ** 20;
const STEPS_MOST = 40;
const LIFE_MS = 30_000;

const kept = [];
const growing = setInterval(() => {
  kept.push(new Uint8Array(STEP_BYTES).fill(1));
  if (kept.length === STEPS_MOST) clearInterval(growing);
}, 25);
setTimeout(() => process.exit(0), LIFE_MS);
