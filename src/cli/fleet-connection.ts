/** Stage: none (network). The servers that a command of the fleet asks, as the options name them. */
import type { Fleet, FleetServers } from '../fleet/index.js';
import { usage } from './arguments.js';
import type { Values } from './options.js';
import { readTextFile } from './text-file.js';

export function fleetServers(values: Values, env = process.env): FleetServers {
  const servers = values.fleet ?? (env.BADNESS_FLEET ? [env.BADNESS_FLEET] : []);
  if (servers.length === 0) {
    throw usage('expected --fleet URL, such as nats://10.0.0.1:4222, or BADNESS_FLEET; got neither');
  }
  return {
    ...{ servers, name: 'badness fleet', credentials: values.creds },
    ...{ tlsCa: values['tls-ca'], tlsCert: values['tls-cert'], tlsKey: values['tls-key'] },
  };
}

/** Runs with a connection, and ends it. */
export async function withFleet<T>(values: Values, run: (fleet: Fleet) => Promise<T>): Promise<T> {
  const servers = fleetServers(values);
  const { Fleet } = await import('../fleet/index.js');
  const fleet = await Fleet.connect(servers);
  try {
    return await run(fleet);
  } finally {
    await fleet.close();
  }
}

/** The private key, as PEM; nothing without the option. */
export function signingKey({ key }: Values): { pem: string } | Record<string, never> {
  return key === undefined ? {} : { pem: readTextFile(key, 'a private key') };
}
