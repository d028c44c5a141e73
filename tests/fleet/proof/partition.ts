/**
 * A way to a server that can be cut: a network namespace of its own with a pair of veth, where this user may make one; packets then vanish, as
 * they do where a cable is cut. Else a proxy on loopback that stops forwarding: the connections stand, and nothing comes through.
 */
import { spawnSync } from 'node:child_process';
import { connect, createServer, type Socket } from 'node:net';
import type { Scope } from '../support/nats-server.js';

export interface Partition {
  readonly how: 'network namespace' | 'proxy on loopback';
  /** Where the server has to listen. */
  readonly address: string;
  /** What starts processes on the other side. */
  readonly within: readonly string[];
  /** What they call the server at `port`. */
  reach(port: number): Promise<string>;
  cut(): void;
  heal(): void;
}

const ip = (...args: string[]) => spawnSync('ip', args, { stdio: 'ignore' }).status === 0;

/** Null where it is not allowed. */
function openNamespace(t: Scope): Partition | null {
  const name = `badness-${process.pid}`;
  const [near, far] = [`bdn${process.pid % 100_000}`, `bdf${process.pid % 100_000}`];
  const net = `10.231.${process.pid % 256}`;
  if (process.geteuid?.() !== 0 || !ip('netns', 'add', name)) return null;
  t.after(() => {
    ip('link', 'del', near);
    ip('netns', 'del', name);
  });
  const isMade =
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far) &&
    ip('link', 'set', far, 'netns', name) &&
    ip('addr', 'add', `${net}.1/24`, 'dev', near) &&
    ip('link', 'set', near, 'up') &&
    ip('netns', 'exec', name, 'ip', 'addr', 'add', `${net}.2/24`, 'dev', far) &&
    ip('netns', 'exec', name, 'ip', 'link', 'set', far, 'up');
  if (!isMade) return null;
  return {
    ...{ how: 'network namespace', address: `${net}.1`, within: ['ip', 'netns', 'exec', name] },
    reach: async (port) => `nats://${net}.1:${port}`,
    // The far end goes down: the server's address stays, and packets to the other side are lost.
    cut: () => void ip('netns', 'exec', name, 'ip', 'link', 'set', far, 'down'),
    heal: () => void ip('netns', 'exec', name, 'ip', 'link', 'set', far, 'up'),
  };
}

function openProxy(t: Scope): Partition {
  let isCut = false;
  let serverPort = 0;
  const sockets = new Set<Socket>();
  const carry = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on('data', (bytes) => {
      if (!isCut) to.write(bytes);
    });
    from.on('error', () => from.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer((near) => {
    const far = connect(serverPort, '127.0.0.1');
    carry(near, far);
    carry(far, near);
  });
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    ...{ how: 'proxy on loopback', address: '127.0.0.1', within: [] },
    reach: (port) => {
      serverPort = port;
      return new Promise((resolve) => {
        server.listen(0, '127.0.0.1', () => resolve(`nats://127.0.0.1:${(server.address() as { port: number }).port}`));
      });
    },
    cut: () => {
      isCut = true;
    },
    heal: () => {
      isCut = false;
      // What was dropped is missing in the middle: those connections are of no use any more.
      for (const socket of sockets) socket.destroy();
    },
  };
}

export function openPartition(t: Scope): Partition {
  return openNamespace(t) ?? openProxy(t);
}
