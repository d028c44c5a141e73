/** Stage: none (settings). The fleet that a machine belongs to, as data, and what it leaves to it ([docs/fleet.md](../../docs/fleet.md)). */
import { type Check, integer, list, object, oneOf, orNull, text } from './checks.js';

/** What a policy from outside may do here besides: have somebody killed; run programs, send to addresses, reboot. */
export const FLEET_ALLOWANCES = ['enforce', 'programs'] as const;
/** One of them. */
export type FleetAllowance = (typeof FLEET_ALLOWANCES)[number];

/** `[fleet]` of a policy file, with its defaults. */
export interface FleetSettings {
  /** Addresses of the servers. Default none: no fleet. */
  readonly servers: readonly string[];
  /** The name of this machine there, or null (the default) for its host name. */
  readonly host: string | null;
  /** What it is: `canary`, `ci`. The earlier one counts where several have a policy. Default none. */
  readonly labels: readonly string[];
  /** Public keys that policies must be signed with, one of them. Default none: no policies are taken. */
  readonly trust: readonly string[];
  /** Default none. */
  readonly allow: readonly FleetAllowance[];
  /** A file of credentials as NATS has it (`.creds`, or the seed of an nkey), or null. */
  readonly credentials: string | null;
  /** TLS: who may have signed the server's certificate; the machine's own certificate and its key. Paths, or null. */
  readonly tlsCa: string | null;
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
  /** Where decisions wait and what was seen is kept: an absolute path, or null (the default) for the usual place. */
  readonly folder: string | null;
  /** MiB of decisions that wait at most, 1 … 1,024. Default 16. */
  readonly spoolMib: number;
}

/** As it is written. */
export type FleetInput = { readonly [K in keyof FleetSettings]?: FleetSettings[K] | undefined };

const path = text(/^\/[^\0]+$/, 'an absolute path');
const server = text(
  /^(nats|tls):\/\/[^\s/@]+$|^[^\s/@:]+(:\d+)?$/,
  "an address such as 'nats://10.0.0.1:4222', without a password",
);
const word = text(/^[^\0\n]{1,255}$/, 'a name of 1..255 characters');
const key = text(/^ed25519:[A-Za-z0-9+/]{43}=$/, "a public key such as 'ed25519:…' (badness fleet key prints it)");

export const fleet: Check<FleetSettings> = object<FleetSettings>({
  servers: [list(server), []],
  host: [orNull(word), null],
  labels: [list(word), []],
  trust: [list(key), []],
  allow: [list(oneOf(FLEET_ALLOWANCES)), []],
  credentials: [orNull(path), null],
  tlsCa: [orNull(path), null],
  tlsCert: [orNull(path), null],
  tlsKey: [orNull(path), null],
  folder: [orNull(path), null],
  spoolMib: [integer(1, 1024), 16],
});
