/** A process with many simulated machines, as the rig sees it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Scope } from '../support/nats-server.js';

export interface HostsSettings {
  readonly url: string;
  readonly hosts: readonly string[];
  readonly labels: readonly string[];
  readonly trust: readonly string[];
  /** Connections that the machines share. */
  readonly links: number;
  readonly spoolBytes: number;
  /** How often a connection asks whether the server is there; two that are not answered are a server that is gone. */
  readonly pingMs: number;
  /** The text of a recording. Default: that of short.ts. */
  readonly recording?: string;
}

export type HostsAsk =
  | { readonly kind: 'taken'; readonly sequence: number }
  | { readonly kind: 'tell'; readonly rounds: number; readonly everyMs: number }
  | { readonly kind: 'settled' }
  | { readonly kind: 'cost' }
  | { readonly kind: 'close' };

export class HostsProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  readonly #up: Promise<void>;
  #asked = 0;

  /** `within`: a command that the process is started by, such as `ip netns exec NAME`. */
  constructor(t: Scope, program: URL, settings: HostsSettings, within: readonly string[] = []) {
    const [command, ...args] = [...within, process.execPath, program.pathname, JSON.stringify(settings)];
    this.#child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => void this.#child.kill('SIGKILL'));
    let isUp = () => {};
    this.#up = new Promise((resolve, reject) => {
      isUp = resolve;
      this.#child.once('exit', () => reject(new Error('the process of machines has ended')));
      this.#child.once('error', reject);
    });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      const { up, id, value, error } = JSON.parse(line) as { up?: number; id: number; value: never; error?: string };
      if (up !== undefined) return isUp();
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(error));
    });
    this.#child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the process of machines has ended'));
    });
  }

  up(): Promise<void> {
    return this.#up;
  }

  ask<T>(ask: HostsAsk): Promise<T> {
    const id = ++this.#asked;
    this.#child.stdin!.write(`${JSON.stringify({ id, ask })}\n`);
    return new Promise<T>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }
}
