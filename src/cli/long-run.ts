/** Stage: none. For commands that go on for a while: what ends them, how they wait, and how they end. */
import { setTimeout } from 'node:timers/promises';

const LOOK_MS = 15;
/** Less CPU time than this between two looks is none. */
const QUIET_US = 1500;
const LOOKS_MOST = 100;

/** Aborted by the first SIGINT or SIGTERM from now on, which end the work, and not the process; a second one does. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  return stop.signal;
}

/** Resolves when the time is over, or somebody asks to stop: whether that is so. */
export async function stoppedWithin(ms: number, stop: AbortSignal): Promise<boolean> {
  // Rejects for the signal and for nothing else.
  await setTimeout(ms, undefined, { signal: stop }).catch(() => {});
  return stop.aborted;
}

/**
 * Waits until no thread of this process computes any more, at most some seconds. Node hangs for ever when it exits while V8 still compiles in
 * another thread and that thread wants memory collected (nodejs/node#54918): seen here about once in a hundred runs on a busy machine. As
 * long as something is waited for, whoever wants that is served.
 */
export async function restBeforeExit(): Promise<void> {
  let quiet = 0;
  for (let look = 0; look < LOOKS_MOST && quiet < 2; ++look) {
    const before = process.cpuUsage();
    await setTimeout(LOOK_MS);
    const { user, system } = process.cpuUsage(before);
    quiet = user + system < QUIET_US ? quiet + 1 : 0;
  }
}
