/** Stage: none (network). A connection to the servers of a fleet, with TLS and credentials as NATS has them. */
import { readFileSync } from 'node:fs';
import type { Authenticator, ConnectionOptions, NatsConnection } from '@nats-io/transport-node';
import { BadnessError } from '../../errors.js';
import type { FleetConnection, FleetServers } from '../servers.js';
import { loadTransport } from './packages.js';

/** Until a first connection stands, ms. */
const TIMEOUT_MS = 5000;
/** A server that does not answer two of these is gone: what a partition looks like from inside. */
const PING_MS = 20_000;
/** Of a user. */
const SEED = /^SU[A-Z2-7]{56}$/;

function readCredentials(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new BadnessError('ECREDENTIALS', `expected credentials at ${path}, got ${code}`, { cause });
  }
}

type Transport = Awaited<ReturnType<typeof loadTransport>>;

/** A file of credentials, or the seed of an nkey by itself. */
function authenticatorOf(bytes: Uint8Array, { credsAuthenticator, nkeyAuthenticator }: Transport): Authenticator {
  const text = new TextDecoder().decode(bytes).trim();
  return SEED.test(text) ? nkeyAuthenticator(new TextEncoder().encode(text)) : credsAuthenticator(bytes);
}

function tlsOf({ tlsCa, tlsCert, tlsKey }: FleetServers): Pick<ConnectionOptions, 'tls'> {
  if (tlsCa === undefined && tlsCert === undefined && tlsKey === undefined) return {};
  return {
    tls: {
      ...(tlsCa === undefined ? {} : { caFile: tlsCa }),
      ...(tlsCert === undefined ? {} : { certFile: tlsCert }),
      ...(tlsKey === undefined ? {} : { keyFile: tlsKey }),
    },
  };
}

/**
 * Connects once; from then on the connection comes back by itself. Rejects with BadnessError `ENOPACKAGE`, `ECREDENTIALS`, `EACCES` when the
 * server does not know who asks, `ECONNREFUSED` when none of the servers can be reached.
 */
export async function connectServers(given: FleetServers): Promise<FleetConnection> {
  const { servers, name = 'badness', credentials, options = {} } = given;
  if (servers.length === 0) throw new RangeError('servers must have at least one address, got none');
  const transport = await loadTransport();
  const { connect, errors } = transport;
  const who =
    credentials === undefined ? {} : { authenticator: authenticatorOf(readCredentials(credentials), transport) };
  try {
    return await connect({
      ...{ servers: [...servers], name, timeout: TIMEOUT_MS, pingInterval: PING_MS, maxPingOut: 2 },
      ...{ maxReconnectAttempts: -1, ignoreAuthErrorAbort: true, ...tlsOf(given), ...who, ...options },
    });
  } catch (cause) {
    const { message } = cause as Error;
    const isRefused =
      cause instanceof errors.AuthorizationError || cause instanceof errors.UserAuthenticationExpiredError;
    if (isRefused) throw new BadnessError('EACCES', `${servers.join(', ')}: ${message}`, { cause });
    throw new BadnessError('ECONNREFUSED', `no server of the fleet at ${servers.join(', ')}: ${message}`, { cause });
  }
}

/** What the client of NATS made of it. Not in any type that leaves the package: who has no fleet has no such types. */
export function natsOf(connection: FleetConnection): NatsConnection {
  return connection as NatsConnection;
}
