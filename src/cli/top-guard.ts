/** Stage: report. What `badness top` knows of a guard that runs, and asks of it, over its control socket. */
import { askControl, type ControlAsk } from '../control/index.js';
import { SCHEMES, type SchemeName } from '../index.js';
import { decisionWords, type EventRecord, type StateRecord } from './ctl-words.js';
import { printable } from './names.js';
import { counted } from './quantities.js';
import type { GuardView } from './top-view.js';
import { named } from './words.js';

/** A guard that is stopped, or hangs, must not make the screen wait. */
const TIMEOUT_MS = 1000;
const DECISIONS_SHOWN = 3;
const NONE: GuardView = { words: 'has not been asked yet', decisions: null };

/** How one request goes: `askControl`, or a guard of a test. */
export type Asks = (ask: ControlAsk) => Promise<string>;

export function asksAt(path: string): Asks {
  return async (ask) => (await askControl(path, { timeoutMs: TIMEOUT_MS, ...ask })).body;
}

/** The pids of `/oom_kill_protection/status`: `812        postgres`, a line a process below three of heading. */
export function protectedIds(status: string): Set<number> {
  return new Set(Array.from(status.matchAll(/^([1-9]\d*) /gm), ([, pid]) => Number(pid)));
}

function stateWords({ pid, domain, facts, level, queued, protected: count, counters }: StateRecord): string {
  const mode = facts.enforce ? 'enforcing' : 'dry run';
  const numbers = `${count} protected, ${queued} queued, ${counted(counters.rounds, 'round')}`;
  return `pid ${pid}, ${printable(domain)}, ${mode}, scheme ${facts.scheme}; ${level === 'none' ? 'calm' : level}; ${numbers}`;
}

/** Nobody there is no error of theirs. */
const ABSENT = ['ENOENT', 'ECONNREFUSED'];

function errorWords(error: unknown): string {
  const { code, message } = error as { code?: string; message: string };
  return code === undefined || ABSENT.includes(code) ? message : `${code}: ${message}`;
}

async function lastDecisions(ask: Asks): Promise<string[]> {
  const text = await ask({ resource: `/decisions?last=${DECISIONS_SHOWN}` });
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const event = JSON.parse(line) as EventRecord;
    return decisionWords(event, shortTime(event.time));
  });
}

/** `11-20 18:41:07`, where this terminal is. */
function shortTime(time: string): string {
  const at = new Date(time);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(at.getMonth() + 1)}-${two(at.getDate())} ${at.toTimeString().slice(0, 8)}`;
}

/** Watches one guard, if there is one. What it says is kept until it is asked again. */
export class GuardWatch {
  view: GuardView = NONE;
  protected: ReadonlySet<number> = new Set();
  /** The scheme of the guard, as soon as it has said it. */
  scheme: SchemeName | null = null;
  readonly #ask: Asks | null;
  #polling = false;

  /** Without `ask` there is no guard, for that reason. */
  constructor(ask: Asks | null, reason = '') {
    this.#ask = ask;
    if (!ask) this.view = { words: reason, decisions: null };
  }

  /** Asks again, unless it is still being asked. Resolves when what is known has changed, or cannot be. Never rejects. */
  async poll(): Promise<void> {
    if (!this.#ask || this.#polling) return;
    this.#polling = true;
    try {
      await this.#look(this.#ask);
    } catch (error) {
      this.view = { words: errorWords(error), decisions: null };
      this.protected = new Set();
    } finally {
      this.#polling = false;
    }
  }

  /** Protects a task, or ends that. What came of it, in words; never rejects. */
  async toggle(tgid: number, name: string): Promise<string> {
    const flag = this.protected.has(tgid) ? 0 : 1;
    const who = named({ tgid, comm: name });
    return this.#told(`${flag ? 'protecting' : 'unprotecting'} ${who}`, async (ask) => {
      const body = `setprotection ${tgid} ${flag}`;
      await ask({ method: 'POST', resource: '/oom_kill_protection/ctl', body });
      await this.#lookWhoIsProtected(ask);
      return `${who} is ${flag ? 'protected' : 'protected no more'}`;
    });
  }

  /** Whom it would choose now, in words; never rejects. */
  chooses(): Promise<string> {
    return this.#told('asking the guard', async (ask) => {
      const [first = '{}', ...rows] = (await ask({ resource: '/rank?limit=64', timeoutMs: 10_000 })).trim().split('\n');
      const { victim } = JSON.parse(first) as { victim?: number | null };
      const queued = (await ask({ resource: '/oom' })).trim();
      if (queued !== '') return `the guard would look into its queue first: ${queued}`;
      if (typeof victim !== 'number') return 'the guard would choose nobody';
      const row = rows
        .map((line) => JSON.parse(line) as { tgid: number; comm: string })
        .find(({ tgid }) => tgid === victim);
      return `the guard would choose ${victim}${row ? ` (${printable(row.comm)})` : ''}`;
    });
  }

  async #look(ask: Asks): Promise<void> {
    const state = JSON.parse(await ask({ resource: '/state' })) as StateRecord;
    this.scheme = SCHEMES.find((scheme) => scheme === state.facts.scheme) ?? null;
    if (state.protected > 0) await this.#lookWhoIsProtected(ask);
    else this.protected = new Set();
    this.view = { words: stateWords(state), decisions: await lastDecisions(ask) };
  }

  async #lookWhoIsProtected(ask: Asks): Promise<void> {
    this.protected = protectedIds(await ask({ resource: '/oom_kill_protection/status' }));
  }

  async #told(what: string, work: (ask: Asks) => Promise<string>): Promise<string> {
    if (!this.#ask) return `${what} needs a guard: ${this.view.words}`;
    try {
      return await work(this.#ask);
    } catch (error) {
      return `${what}: ${errorWords(error)}`;
    }
  }
}
