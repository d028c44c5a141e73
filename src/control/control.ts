/**
 * Stage: all of them. Asks and commands from outside: HTTP on a Unix socket, beside the guard and in its thread. Requests take turns
 * with the guard's steps, one a turn of the event loop; what takes long is done in slices; and whoever connects can take no more
 * than limits.ts says, however slow, broken or many.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { BadnessError } from '../errors.js';
import { type GuardEvent, guardEventToJson } from '../guard/guard-events.js';
import { type Answer, errorAnswer, send, textAnswer } from './answer.js';
import { Connections } from './connections.js';
import { Decisions } from './decisions.js';
import { EventStream } from './event-stream.js';
import { openHttpServer } from './http-server.js';
import { type ControlLimits, LIMITS } from './limits.js';
import { metricsAnswer } from './metrics.js';
import { listenAt } from './place.js';
import { proposalFiles } from './proposal-files.js';
import { readRequest } from './request.js';
import { findResource, type Resource } from './resources.js';
import { type ControlOptions, isForEverybody, type Settled, settle } from './settled.js';
import { type ControlState, stateResources } from './state-resources.js';

/** The control socket of one guard, HTTP over a unix socket: made by `openControl`, which binds it, and ended by `close`. */
export class Control {
  /** Where it listens, with which permissions, and what is not as it was asked for. */
  readonly path: string;
  readonly mode: number;
  readonly notes: readonly string[];
  readonly #settled: Settled;
  readonly #limits: ControlLimits;
  readonly #version: string | null;
  #server: Server | null = null;
  readonly #connections: Connections;
  readonly #events: EventStream;
  readonly #decisions = new Decisions();
  readonly #resources: readonly Resource[];
  #requests = 0;
  #turn: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(settled: Settled, options: ControlOptions) {
    const { guard, limits, version } = options;
    this.#settled = settled;
    this.path = settled.path;
    this.mode = settled.mode;
    this.notes = settled.notes;
    this.#limits = { ...LIMITS, ...limits };
    this.#version = version ?? null;
    this.#events = new EventStream(this.#limits);
    this.#connections = new Connections(this.#limits.connections, settled.native, settled.group);
    const state = () => this.state;
    this.#resources = [
      ...proposalFiles(guard, settled),
      ...stateResources(guard, this.#decisions, state),
      { name: '/metrics', path: /^\/metrics$/, methods: { GET: () => metricsAnswer(guard, state()) } },
      { name: '/events', path: /^\/events$/, methods: { GET: ({ response }) => this.#addReader(response) } },
      { name: '/', path: /^\/$/, text: true, open: true, methods: { GET: () => this.#list() } },
    ];
  }

  get state(): ControlState {
    return {
      version: this.#version,
      connections: this.#connections.count,
      readers: this.#events.readers,
      requests: this.#requests,
      dropped: this.#events.dropped,
    };
  }

  /** Whatever the guard tells, as LinuxGuardOptions.tell is told. Never throws, never waits. */
  hear(event: GuardEvent): void {
    const line = JSON.stringify({ time: new Date().toISOString(), ...guardEventToJson(event) });
    if (event.kind === 'round') this.#decisions.add(line);
    this.#events.send(event.kind, line);
  }

  /** Tells the readers of events, drops everybody, and takes the socket away. */
  close(): Promise<void> {
    this.#events.close();
    return new Promise((resolve) => {
      this.#server!.close(() => resolve());
      // The last words are on their way; nobody is waited for.
      setImmediate(() => this.#connections.close());
    });
  }

  /** @internal */
  async listen(): Promise<void> {
    const server = await openHttpServer(this.#limits, {
      connected: (socket) => this.#connections.add(socket),
      asked: (request, response) => void this.#answer(request, response),
    });
    this.#server = server;
    await listenAt(server, this.path, this.mode, this.#settled.group);
    // What goes wrong with a connection is the matter of its client.
    server.on('error', () => {});
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = true;
    try {
      const { method, path, ...rest } = await readRequest(request, this.#limits.bodyBytes);
      await this.#ownTurn();
      const { socket } = request;
      if (socket.destroyed) return;
      const found = findResource(this.#resources, path);
      if (found === null) throw new BadnessError('ENOENT', `${path} is nothing that a guard has; GET / lists what is`);
      const { resource, parameters } = found;
      text = resource.text === true;
      const peer = this.#connections.peerOf(socket);
      if (!resource.open) this.#refuseStrangers(socket);
      const run = Object.hasOwn(resource.methods, method) ? resource.methods[method]! : null;
      if (run === null) return this.#send(response, methodAnswer(resource, method));
      this.#connections.work(socket);
      this.#requests += 1;
      const answer = await run({ ...rest, parameters, peer, response });
      if (answer !== null) this.#send(response, answer);
    } catch (error) {
      if (!response.headersSent) this.#send(response, errorAnswer(error, text));
    }
  }

  #send(response: ServerResponse, answer: Answer): void {
    if (response.socket) this.#connections.rest(response.socket, this.#limits.idleMs);
    send(response, answer);
  }

  /** A turn of the event loop for each: the guard's steps come in between. */
  #ownTurn(): Promise<unknown> {
    this.#turn = this.#turn.then(() => new Promise(setImmediate));
    return this.#turn;
  }

  /** Where everybody may connect, the permissions of the socket refuse nobody. Throws BadnessError `EPERM`. */
  #refuseStrangers(socket: Socket): void {
    if (!isForEverybody(this.mode) || this.#connections.isTrusted(socket)) return;
    throw new BadnessError('EPERM', 'this user may only ask for /oom_kill_protection/self');
  }

  #addReader(response: ServerResponse): null {
    this.#events.add(response);
    return null;
  }

  #list(): Answer {
    const lines = this.#resources.map(({ name, methods }) => `${Object.keys(methods).join(', ').padEnd(8)} ${name}\n`);
    return textAnswer(lines.join(''));
  }
}

function methodAnswer({ name, methods, text }: Resource, method: string): Answer {
  const allowed = Object.keys(methods).join(', ');
  const error = new BadnessError('EOPNOTSUPP', `${name} has ${allowed}, got ${method}`);
  const answer = errorAnswer(error, text === true);
  return { ...answer, headers: { ...answer.headers, Allow: allowed } };
}

/**
 * Opens the control socket of a guard. Rejects with BadnessError `EADDRINUSE` naming the guard that listens there already, `EPERM`,
 * `EEXIST`, `ENAMETOOLONG`, `ENOENT` for a place that cannot be used, errno names; TypeError and RangeError for options.
 */
export async function openControl(options: ControlOptions): Promise<Control> {
  const control = new Control(await settle(options), options);
  await control.listen();
  return control;
}
