/** One agent of a fleet over a link, a guard and a clock that only tests move. */
import { FleetAgent } from '../../../src/fleet/agent.js';
import { sealStatement, type Verify } from '../../../src/fleet/envelope.js';
import type { AgentMemory, FleetGuard, Taken } from '../../../src/fleet/fleet-guard.js';
import type { FleetLink, LinkMessage, StoredPolicy } from '../../../src/fleet/link.js';
import { memoryStore } from '../../../src/fleet/live/disk-store.js';
import { policySubject } from '../../../src/fleet/names.js';
import type { FleetPolicy, FleetShadow, Sequences } from '../../../src/fleet/policy-keeper.js';
import { parseReport, type StateReport } from '../../../src/fleet/report.js';
import { Spool } from '../../../src/fleet/spool.js';
import { ManualClock, settle } from './manual-clock.js';

/** A link whose server is there when the test says so. */
export class FakeLink implements FleetLink {
  isUp = false;
  readonly messageBytes = 4000;
  readonly stored: { subject: string; text: string; id: string | undefined }[] = [];
  readonly policies = new Map<string, StoredPolicy>();
  /** Ids that the server does not take now. */
  readonly failing = new Set<string>();
  readonly #hearers = new Set<(isUp: boolean) => void>();
  readonly #listening = new Map<string, (message: LinkMessage) => void>();
  #revision = 0;

  turn(isUp: boolean): void {
    this.isUp = isUp;
    for (const hear of this.#hearers) hear(isUp);
  }

  put(key: string, sequence: number, policy: string | null, more: { shadow?: string } = {}): number {
    const statement = { version: 1 as const, key, sequence, signedMs: 0, policy, next: null, shadow: null, ...more };
    this.policies.set(key, { revision: ++this.#revision, text: sealStatement(statement, () => 'good') });
    this.#listening.get(policySubject(key))?.({ subject: '', text: '', respond() {} });
    return this.#revision;
  }

  onChange(hear: (isUp: boolean) => void): () => void {
    this.#hearers.add(hear);
    return () => this.#hearers.delete(hear);
  }

  subscribe(subject: string, hear: (message: LinkMessage) => void): () => void {
    this.#listening.set(subject, hear);
    return () => this.#listening.delete(subject);
  }

  /** Has whoever listens there hear a message. */
  tell(subject: string, message: LinkMessage): void {
    this.#listening.get(subject)?.(message);
  }

  async store(subject: string, text: string, id?: string): Promise<void> {
    if (!this.isUp || this.failing.has(id ?? '')) throw new Error('not stored');
    this.stored.push({ subject, text, id });
  }

  async policyAt(key: string): Promise<StoredPolicy | null> {
    if (!this.isUp) throw new Error('no server');
    return this.policies.get(key) ?? null;
  }

  async close(): Promise<void> {}

  states(): StateReport[] {
    return this.stored.flatMap(({ text }) => {
      const report = parseReport(text);
      return report?.kind === 'state' ? [report] : [];
    });
  }

  decisions(): string[] {
    return this.stored.flatMap(({ id }) => id ?? []);
  }
}

export class FakeGuard implements FleetGuard {
  readonly asked: (string | null)[] = [];
  shadowed: string | null = null;
  refuse: string | null = null;

  async take(policy: FleetPolicy | null): Promise<Taken> {
    this.asked.push(policy?.text ?? null);
    if (policy?.text === this.refuse) throw Object.assign(new Error('line 2: no'), { code: 'EPOLICY' });
    return { enforce: false, notes: [`by ${policy?.text}`] };
  }

  async shadow(shadow: FleetShadow | null): Promise<void> {
    this.shadowed = shadow?.text ?? null;
  }
}

const isGood: Verify = (_, signature) => signature === 'good';

interface Scene {
  readonly up?: boolean;
  readonly verify?: Verify | null;
  readonly preview?: NonNullable<FleetGuard['preview']>;
}

export function agentScene({ up = true, verify = isGood, preview }: Scene = {}) {
  const link = new FakeLink();
  const guard = Object.assign(new FakeGuard(), preview && { preview });
  const clock = new ManualClock();
  const notes: string[] = [];
  const kept: { sequences: Sequences } = { sequences: {} };
  const memory: AgentMemory = {
    load: () => kept.sequences,
    save: (sequences) => {
      kept.sequences = sequences;
    },
  };
  const spool = new Spool(memoryStore(), {
    bytesMost: 1 << 16,
    droppedIn: () => 0,
    dropped: (count) => ({ subject: 'd', id: `d${count}`, text: '' }),
  });
  const agent = new FleetAgent({
    ...{ host: 'web-1', labels: ['ci'], version: '1', run: 'run', enforce: true, verify },
    ...{ link, guard, spool, memory, clock, wallMs: () => 5, note: (words) => notes.push(words) },
  });
  link.isUp = up;
  agent.start();
  return { link, guard, clock, notes, kept, spool, agent };
}

/** Everything that waits for nothing but itself is done. */
export async function quiet(agent: FleetAgent): Promise<void> {
  for (let turn = 0; turn < 3; ++turn) {
    await settle();
    await agent.settled();
  }
}
