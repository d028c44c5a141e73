/** Stage: none (sockets). Who asks, by the word of the kernel, and whether it may. */
import type { Socket } from 'node:net';
import { BadnessError } from '../errors.js';
import type { Native } from '../linux/native.js';
import type { PeerCredentials } from '../linux/native-peer.js';
import { queueTasks } from '../linux/queue-tasks.js';

const ROOT_UID = 0;

/** Node keeps the descriptor of a socket to itself; its name for it has been the same for ten years. */
function descriptorOf(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } | null })._handle?.fd ?? -1;
}

/**
 * The process at the other end of a connection, held by a descriptor from the moment that the connection is seen: one that gets its
 * pid later is not taken for it. To be made when it connects, and closed with the connection.
 */
export class Peer {
  readonly #native: Native;
  readonly #socket: Socket;
  readonly #credentials: PeerCredentials;
  readonly #handle: number | null;

  /** Throws what getsockopt throws. */
  constructor(native: Native, socket: Socket) {
    this.#native = native;
    this.#socket = socket;
    this.#credentials = native.peerCredentials(descriptorOf(socket));
    const { pid } = this.#credentials;
    // 0: of a pid namespace that cannot be seen from here.
    this.#handle = (pid > 0 ? queueTasks.open(pid)?.handle : undefined) ?? null;
  }

  /** Its pid, as long as it is that process. Throws BadnessError `ESRCH`. */
  get pid(): number {
    const { pid } = this.#credentials;
    if (this.#handle !== null && queueTasks.isAlive(this.#handle)) return pid;
    throw new BadnessError('ESRCH', `process ${pid}, which connected, cannot be seen or has ended`);
  }

  /** Whether it may do all: root, the guard's own user, and the members of the group that was given the socket. */
  isTrusted(group: number | null): boolean {
    const { uid, gid } = this.#credentials;
    if (uid === ROOT_UID || uid === process.geteuid?.()) return true;
    return group !== null && (gid === group || this.#groups().includes(group));
  }

  close(): void {
    if (this.#handle !== null) queueTasks.close(this.#handle);
  }

  #groups(): number[] {
    try {
      return this.#native.peerGroups(descriptorOf(this.#socket));
    } catch {
      // Before Linux 4.13: only its own group counts.
      return [];
    }
  }
}
