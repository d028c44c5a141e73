/** Stage: watch. The end of a thread of ours: it listens no more, and so nothing keeps it. */

/** The part of a worker's port that its end needs. Deno's has no `close`. */
interface Port {
  close?(): void;
  unref(): void;
}

/** Lets the calling thread end as soon as it has nothing else to wait for; what was posted before is delivered. */
export function endThread(port: Port): void {
  if (port.close) port.close();
  else port.unref();
}
