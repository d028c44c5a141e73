/** The server of docs/fleet.md, with its permissions as they stand there, and the keys of a keeper and of one machine. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { nkeys } from '@nats-io/transport-node';
import { startServer } from './nats-server.js';
import { scratch } from './scratch.js';

interface User {
  readonly name: string;
  /** A file with its seed. */
  readonly path: string;
}

function user(folder: string, name: string): User & { readonly key: string } {
  const pair = nkeys.createUser();
  const path = join(folder, `${name}.nkey`);
  writeFileSync(path, pair.getSeed(), { mode: 0o600 });
  return { name, path, key: pair.getPublicKey() };
}

export async function securedServer(t: TestContext) {
  const folder = scratch(t);
  const [keeper, machine] = [user(folder, 'keeper'), user(folder, 'web-1')];
  const [, config] = /^```nats\n([\s\S]*?)^```$/m.exec(readFileSync('docs/fleet.md', 'utf8'))!;
  const server = await startServer(t, config!.replace('$KEEPER', keeper.key).replace('$WEB_1', machine.key));
  const options = { inboxPrefix: '_INBOX.web-1' };
  return {
    ...{ server, folder },
    keeper: { servers: [server.url], credentials: keeper.path },
    machine: { servers: [server.url], credentials: machine.path, options },
  };
}
