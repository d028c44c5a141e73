/** A nats-server of a test's own: on loopback, at a port that was free, with a store in a folder of its own; ended and cleared away with the test. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A test, or whatever else clears away behind it. */
export type Scope = Pick<TestContext, 'after'>;

import { eventually } from './eventually.js';

const PROGRAM = 'nats-server';

/** Why tests with a server cannot run; false where they can: the `skip` of a test. */
export const WITHOUT_SERVER: string | false =
  spawnSync(PROGRAM, ['--version']).status === 0 ? false : `no ${PROGRAM} is installed (apt-get install nats-server)`;

export interface NatsServer {
  readonly url: string;
  readonly port: number;
  /** kill −9, and nobody listens any more. */
  kill(): Promise<void>;
  /** The same store and port again. */
  restart(): Promise<void>;
}

/** Where it listens, once it does: a file that the server writes itself (`ports_file_dir`). */
async function portOf(folder: string): Promise<number> {
  return eventually(() => {
    const name = readdirSync(folder).find((file) => file.endsWith('.ports'));
    const { nats } = JSON.parse(readFileSync(join(folder, name!), 'utf8')) as { nats: string[] };
    return Number(new URL(nats[0]!).port);
  });
}

/** `config`: more of the server's own configuration, such as accounts and permissions. `address`: where it listens. */
export async function startServer(t: Scope, config = '', address = '127.0.0.1'): Promise<NatsServer> {
  const folder = mkdtempSync(join(tmpdir(), 'badness-nats-'));
  let port = -1;
  let child: ChildProcess | null = null;
  const start = async () => {
    for (const file of readdirSync(folder)) if (file.endsWith('.ports')) rmSync(join(folder, file));
    const path = join(folder, 'server.conf');
    const store = join(folder, 'store');
    writeFileSync(
      path,
      `listen: "${address}:${port}"\nports_file_dir: "${folder}"\njetstream { store_dir: "${store}" }\n${config}\n`,
    );
    child = spawn(PROGRAM, ['-c', path, '-l', join(folder, 'server.log')], { stdio: 'ignore' });
    port = await portOf(folder);
  };
  const kill = async () => {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  t.after(async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  });
  await start();
  return { url: `nats://${address}:${port}`, port, kill, restart: start };
}
