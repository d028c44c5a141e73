/** Stage: report. The link of an agent over a connection to NATS. Looks for a server as long as there is none; needs nothing but the transport. */
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { BadnessError } from '../../errors.js';
import { type Clock, idleClock } from '../../guard/clock.js';
import type { FleetLink, LinkMessage, StoredPolicy } from '../link.js';
import { POLICY_STREAM, policySubject, REPORT_STREAM } from '../names.js';
import type { FleetConnection, FleetServers } from '../servers.js';
import { connectServers, natsOf } from './connect.js';
import { loadTransport } from './packages.js';

const RETRY_FIRST_MS = 1000;
const RETRY_MOST_MS = 30_000;
const ANSWER_MS = 5000;
const LAST_WORDS_MS = 500;
const MESSAGE_BYTES = 1 << 20;
const NOT_FOUND = 404;

interface Listening {
  readonly subject: string;
  readonly hear: (message: LinkMessage) => void;
  subscription: Subscription | null;
}

/** Servers, and who hears why none is there. */
export interface NatsLinkOptions extends FleetServers {
  /** Hears once in a row why there is no server. */
  readonly note?: (words: string) => void;
  readonly clock?: Clock;
}

const messageOf = (message: Msg): LinkMessage => ({
  subject: message.subject,
  text: message.string(),
  respond: (text) => void message.respond(text),
});

/** A link over NATS. Needs no server to begin with, and finds one again that was lost. */
export class NatsLink implements FleetLink {
  isUp = false;
  #connection: NatsConnection | null = null;
  #headers: typeof import('@nats-io/transport-node').headers | null = null;
  readonly #options: NatsLinkOptions;
  readonly #clock: Clock;
  readonly #listening = new Set<Listening>();
  readonly #hearers = new Set<(isUp: boolean) => void>();
  #cancelRetry = () => {};
  #retryMs = RETRY_FIRST_MS;
  #saidWhy = false;
  #closed = false;

  private constructor(options: NatsLinkOptions) {
    this.#options = options;
    this.#clock = options.clock ?? idleClock;
  }

  /** A link that looks for a server from now on. Rejects with BadnessError `ENOPACKAGE`; RangeError without servers. */
  static async open(options: NatsLinkOptions): Promise<NatsLink> {
    const { headers } = await loadTransport();
    const link = new NatsLink(options);
    link.#headers = headers;
    if (options.servers.length === 0) throw new RangeError('servers must have at least one address, got none');
    void link.#connect();
    return link;
  }

  /** A link over a connection that stands; `close` closes it. */
  static async over(connection: FleetConnection): Promise<NatsLink> {
    const { headers } = await loadTransport();
    const link = new NatsLink({ servers: [] });
    link.#headers = headers;
    link.#use(natsOf(connection));
    return link;
  }

  /** Null as long as no server was found. */
  get connection(): FleetConnection | null {
    return this.#connection;
  }

  get messageBytes(): number {
    return this.#connection?.info?.max_payload ?? MESSAGE_BYTES;
  }

  onChange(hear: (isUp: boolean) => void): () => void {
    this.#hearers.add(hear);
    return () => void this.#hearers.delete(hear);
  }

  subscribe(subject: string, hear: (message: LinkMessage) => void): () => void {
    const listening: Listening = { subject, hear, subscription: null };
    this.#listening.add(listening);
    this.#listen(listening);
    return () => {
      this.#listening.delete(listening);
      if (!this.#connection?.isClosed()) listening.subscription?.unsubscribe();
    };
  }

  async store(subject: string, text: string, id?: string): Promise<void> {
    const headers = this.#headers!();
    if (id !== undefined) headers.set('Nats-Msg-Id', id);
    headers.set('Nats-Expected-Stream', REPORT_STREAM);
    const answer = await this.#up().request(subject, text, { timeout: ANSWER_MS, headers });
    const { stream, error } = answer.json<{ stream?: string; error?: { description?: string } }>();
    if (stream === undefined) throw new BadnessError('ENOTSTORED', `${subject}: ${error?.description ?? 'not stored'}`);
  }

  async policyAt(key: string): Promise<StoredPolicy | null> {
    const subject = `$JS.API.DIRECT.GET.${POLICY_STREAM}.${policySubject(key)}`;
    const answer = await this.#up().request(subject, '', { timeout: ANSWER_MS });
    const { headers } = answer;
    if (headers?.code === NOT_FOUND) return null;
    const revision = Number(headers?.get('Nats-Sequence'));
    if (headers === undefined || headers.code !== 0 || !(revision > 0)) {
      throw new BadnessError(
        'EPROTO',
        `${key}: expected what stands there, got ${headers?.description ?? 'something else'}`,
      );
    }
    // A mark that the key was deleted: nothing stands there.
    return headers.has('KV-Operation') ? null : { revision, text: answer.string() };
  }

  /** Lets what was said go out, for half a second at most, and ends the connection. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry();
    const connection = this.#connection;
    if (connection === null || connection.isClosed()) return;
    if (this.isUp) await this.#flushed(connection);
    await connection.close();
  }

  /** What was said is on its way; a server that has just gone is not waited for. */
  async #flushed(connection: NatsConnection): Promise<void> {
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#clock.after(LAST_WORDS_MS, resolve);
    });
    await Promise.race([connection.flush().catch(() => {}), late]);
    cancel();
  }

  #up(): NatsConnection {
    if (this.isUp) return this.#connection!;
    throw new BadnessError('ENOTCONN', 'there is no server of the fleet at the moment');
  }

  async #connect(): Promise<void> {
    try {
      const connection = await connectServers(this.#options);
      if (this.#closed) await connection.close();
      else this.#use(natsOf(connection));
    } catch (error) {
      if (this.#closed) return;
      if (!this.#saidWhy) this.#options.note?.(`${(error as Error).message}; goes on without, and looks for it`);
      this.#saidWhy = true;
      this.#cancelRetry = this.#clock.after(this.#retryMs, () => void this.#connect());
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MOST_MS);
    }
  }

  #use(connection: NatsConnection): void {
    this.#connection = connection;
    for (const listening of this.#listening) this.#listen(listening);
    void this.#follow(connection);
    this.#turn(true);
  }

  async #follow(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect' || type === 'staleConnection') this.#turn(false);
      if (type === 'reconnect') this.#turn(true);
    }
    this.#turn(false);
  }

  #turn(isUp: boolean): void {
    if (this.isUp === isUp) return;
    this.isUp = isUp;
    for (const hear of [...this.#hearers]) hear(isUp);
  }

  #listen(listening: Listening): void {
    if (this.#connection === null) return;
    const callback = (error: Error | null, message: Msg) => {
      if (error === null) listening.hear(messageOf(message));
    };
    listening.subscription = this.#connection.subscribe(listening.subject, { callback });
  }
}
