/**
 * Stage: report. Tells systemd that the guard watches, what it is about, and, again and again, that it still comes round (sd_notify(3),
 * Type=notify, WatchdogSec). Starts no program and opens nothing later: a guard says so when memory is short as well.
 */
import { BadnessError } from '../errors.js';
import { errorCode } from './identity.js';
import type { NativeLoad } from './native.js';
import type { DatagramSender } from './native-datagram.js';

/** Whoever started this process as a service. After the first failure, which is told, nothing throws: guarding goes on. */
export interface ServiceManager {
  /** The guard has to come round at least so often, ms, for the watchdog not to end it; null where nobody watches. */
  readonly turnMs: number | null;
  /** It watches; or a reload has ended. `status` is one line for people. */
  ready(status: string): void;
  /** A reload begins; `ready` follows. */
  reloading(): void;
  /** The guard ends. */
  stopping(): void;
  /** The guard has come round: said as often as the watchdog wants to hear it, and no oftener. `nowMs` of any clock that only grows. */
  turned(nowMs: number): void;
  /** Closes the socket to it. */
  close(): void;
}

/** Where the service manager is looked for, and who hears that it cannot be told. */
export interface ServiceManagerOptions {
  /** Variables of the manager are taken out of it, so that no program that the guard starts speaks in its name. Default: process.env. */
  readonly env?: NodeJS.ProcessEnv;
  /** Hears once when the manager cannot be told. */
  readonly tell: (words: string) => void;
}

const US_PER_MS = 1000;
/** Signs of life in the time that the watchdog gives: each may be late by as much again, and two are within the half that it asks for. */
const SIGNS = 4;
/** No guard comes round oftener than this. */
const TURN_LEAST_MS = 20;
const CALL_IN_VAIN = 'npm install koffi, or Type=exec without WatchdogSec and NotifyAccess in the unit';

const encoder = new TextEncoder();

/**
 * Null where no manager asks to be told (NOTIFY_SOCKET is not set). Throws BadnessError `ENOTIFY` when one does and cannot be: it would wait,
 * and end the guard as one that never started.
 */
export function openServiceManager(
  { native, reason }: NativeLoad,
  { env = process.env, tell }: ServiceManagerOptions,
): ServiceManager | null {
  const { NOTIFY_SOCKET: address } = env;
  const watchdogMs = watchdogOf(env);
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (!address) return null;
  if (native === null) throw unheard(`${reason}; ${CALL_IN_VAIN}`);
  if (!/^[/@]./.test(address)) throw unheard(`NOTIFY_SOCKET must be a path or @name, got ${JSON.stringify(address)}`);
  return new NotifiedManager(
    openSender(() => native.datagramsTo(address)),
    watchdogMs,
    tell,
  );
}

function unheard(why: string): BadnessError {
  return new BadnessError(
    'ENOTIFY',
    `the service manager waits to be told that the guard watches, and cannot be: ${why}`,
  );
}

function openSender(open: () => DatagramSender): DatagramSender {
  try {
    return open();
  } catch (error) {
    throw unheard((error as Error).message);
  }
}

/** Milliseconds between two signs of life at most; null where none are wanted, or of another process. */
function watchdogOf({ WATCHDOG_USEC: us = '', WATCHDOG_PID: pid }: NodeJS.ProcessEnv): number | null {
  if (!/^[1-9]\d*$/.test(us) || (pid && pid !== String(process.pid))) return null;
  return Number(us) / US_PER_MS;
}

class NotifiedManager implements ServiceManager {
  readonly turnMs: number | null;
  readonly #sender: DatagramSender;
  readonly #tell: (words: string) => void;
  readonly #alive = encoder.encode('WATCHDOG=1');
  #aliveMs = Number.NEGATIVE_INFINITY;
  #told = false;

  constructor(sender: DatagramSender, watchdogMs: number | null, tell: (words: string) => void) {
    this.#sender = sender;
    this.#tell = tell;
    this.turnMs = watchdogMs === null ? null : Math.max(TURN_LEAST_MS, Math.floor(watchdogMs / SIGNS));
  }

  ready(status: string): void {
    this.#say(`READY=1\nSTATUS=${status.replaceAll('\n', ' ')}`);
  }

  reloading(): void {
    // By the clock that systemd holds it against: CLOCK_MONOTONIC.
    this.#say(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  stopping(): void {
    this.#say('STOPPING=1');
  }

  turned(nowMs: number): void {
    if (this.turnMs === null || nowMs - this.#aliveMs < this.turnMs) return;
    if (this.#send(this.#alive)) this.#aliveMs = nowMs;
  }

  close(): void {
    this.#sender.close();
  }

  #say(text: string): void {
    this.#send(encoder.encode(text));
  }

  #send(bytes: Uint8Array): boolean {
    try {
      this.#sender.send(bytes);
      return true;
    } catch (error) {
      if (!this.#told) this.#tell(`the service manager cannot be told: sendto: ${errorCode(error)}`);
      this.#told = true;
      return false;
    }
  }
}
