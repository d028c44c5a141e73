/** Stage: watch. In: koffi. Out: what libuv tells an embedder about the event loop of the main thread, or null where it tells nothing. */
import { isMainThread } from 'node:worker_threads';

/**
 * The event loop as libuv shows it to programs that wait on its behalf (uv_backend_fd, uv_backend_timeout). A thread that polls the
 * descriptor beside its own, for no longer than {@link restMs}, keeps nobody waiting: whatever would have woken the loop wakes it.
 */
export interface EventLoop {
  /** For poll(2): readable when a signal, a socket, a child, a thread has something for the loop. The loop's to close. */
  readonly fd: number;
  /** After a turn of the loop: how long it would sleep if nothing came, in ms; 0 when it has work now, −1 when for ever. */
  restMs(): number;
}

interface Library {
  func(name: string, result: string, args: string[]): (...args: unknown[]) => unknown;
}

/** `load` opens the program itself. Null in workers (each has a loop of its own, out of reach) and where the program is not Node. */
export function bindEventLoop(load: () => Library): EventLoop | null {
  // Bun has functions of these names, which end the process.
  if (!isMainThread || process.versions.bun !== undefined) return null;
  try {
    const program = load();
    const loop = program.func('uv_default_loop', 'void *', [])();
    const fd = program.func('uv_backend_fd', 'int', ['void *'])(loop) as number;
    const timeout = program.func('uv_backend_timeout', 'int', ['void *']) as (loop: unknown) => number;
    return fd < 0 ? null : { fd, restMs: () => timeout(loop) };
  } catch {
    // A Node whose symbols were stripped.
    return null;
  }
}
