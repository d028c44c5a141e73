/**
 * Stage: none (sockets). Who is connected. There are so many places; when they are taken, the connection that has been idle longest
 * gives way, so that many who only connect keep nobody out. Strangers, who may ask for their own protection only, have half of them.
 */
import type { Socket } from 'node:net';
import type { Native } from '../linux/native.js';
import { Peer } from './peer.js';

interface Connection {
  /** Null when the kernel does not tell. */
  readonly peer: Peer | null;
  readonly trusted: boolean;
  /** The guard is at work on its answer, or it reads events. */
  busy: boolean;
}

export class Connections {
  readonly #most: number;
  readonly #native: Native | null;
  readonly #group: number | null;
  /** Longest idle first. */
  readonly #open = new Map<Socket, Connection>();

  /** Without native calls nobody is known. `group`: those of it are trusted, besides root and the guard's own user. */
  constructor(most: number, native: Native | null, group: number | null) {
    this.#most = most;
    this.#native = native;
    this.#group = group;
  }

  get count(): number {
    return this.#open.size;
  }

  add(socket: Socket): void {
    const peer = this.#ask(socket);
    const trusted = peer?.isTrusted(this.#group) ?? false;
    const rivals = trusted ? [...this.#open] : [...this.#open].filter(([, other]) => !other.trusted);
    // Those whom nobody can tell are strangers who cannot have come in where the permissions keep strangers out.
    const places = trusted || peer === null ? this.#most : Math.ceil(this.#most / 2);
    if (rivals.length >= places) {
      const idle = rivals.find(([, { busy }]) => !busy)?.[0];
      (idle ?? socket).destroy();
      if (idle === undefined) {
        peer?.close();
        return;
      }
      this.#remove(idle);
    }
    this.#open.set(socket, { peer, trusted, busy: false });
    socket.once('close', () => this.#remove(socket));
  }

  peerOf(socket: Socket): Peer | null {
    return this.#open.get(socket)?.peer ?? null;
  }

  isTrusted(socket: Socket): boolean {
    return this.#open.get(socket)?.trusted ?? false;
  }

  /** Its answer is being made, and may take its time. */
  work(socket: Socket): void {
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    connection.busy = true;
    socket.setTimeout(0);
  }

  /** It has its answer, and only has to take it. */
  rest(socket: Socket, idleMs: number): void {
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    connection.busy = false;
    // To the end: those who are idle for longer give way first.
    this.#open.delete(socket);
    this.#open.set(socket, connection);
    socket.setTimeout(idleMs);
  }

  close(): void {
    for (const socket of [...this.#open.keys()]) socket.destroy();
  }

  #ask(socket: Socket): Peer | null {
    if (this.#native === null) return null;
    try {
      return new Peer(this.#native, socket);
    } catch {
      // It has gone already.
      return null;
    }
  }

  #remove(socket: Socket): void {
    this.#open.get(socket)?.peer?.close();
    this.#open.delete(socket);
  }
}
