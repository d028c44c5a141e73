/**
 * Stage: report. The thread of a fleet's agent. It reads and checks policies, evaluates shadows, writes the spool and speaks with servers;
 * the guard's thread only posts what it told anyway, and switches to a policy that is ready.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { BadnessError } from '../../errors.js';
import { idleClock } from '../../guard/clock.js';
import { endThread } from '../../linux/end-thread.js';
import type { WholeDecision } from '../../linux/kept-decisions.js';
import { usersNamed } from '../../linux/rules.js';
import { errorOf, refusalOf } from '../../linux/thread-refusal.js';
import { compileRules, definePolicy, type Policy, type PolicyInput, parsePolicy } from '../../policy/index.js';
import { MemorySubscription } from '../../pressure/subscription.js';
import { FleetAgent } from '../agent.js';
import type { FleetGuard, Taken } from '../fleet-guard.js';
import { type Limited, type LocalSide, limitPolicy } from '../local-limits.js';
import { reportSubject, tokenOf } from '../names.js';
import type { FleetPolicy, FleetShadow } from '../policy-keeper.js';
import { PressureNews } from '../pressure-news.js';
import type { PreviewAsk, PreviewFound } from '../questions.js';
import { droppedIn, REPORT_SCHEMA, type ShadowVerdict } from '../report.js';
import { Spool } from '../spool.js';
import { diskMemory, diskStore } from './disk-store.js';
import type { FleetWorkerData, ToAgent, ToGuard } from './fleet-messages.js';
import { NatsLink } from './nats-link.js';
import { verifier } from './signing.js';

const data = workerData as FleetWorkerData;
const port = parentPort!;
const say = (message: ToGuard) => port.postMessage(message);
const note = (words: string) => say({ kind: 'note', words: `fleet: ${words}` });

/** Whether memory is news is asked so often beside each change of its level. */
const PRESSURE_EVERY_MS = 10_000;
const MIB = 1 << 20;

/** What a policy of the fleet comes to here. Rejects for one that is refused. */
async function readPolicy(text: string, key: string, local: LocalSide): Promise<Limited & { policy: Policy }> {
  const limited = limitPolicy(await parsePolicy(text, key), local);
  const policy = definePolicy(limited.input);
  await compileRules(policy.rules);
  return { ...limited, policy };
}

/** The guard on the other thread. */
class GuardThere implements FleetGuard {
  local: LocalSide;
  readonly #waiting = new Map<number, { resolve: (taken: Taken) => void; reject: (error: Error) => void }>();
  #shadow: { policy: Policy; origin: FleetShadow; users: ReadonlyMap<string, number> } | null = null;
  #asked = 0;
  /** Of the fleet's policy that is in force; null: the machine's own is. */
  #input: PolicyInput | null = null;

  constructor(local: LocalSide) {
    this.local = local;
  }

  async take(policy: FleetPolicy | null): Promise<Taken> {
    if (policy === null) {
      const taken = await this.#ask(null);
      this.#input = null;
      return taken;
    }
    const { input, notes } = await readPolicy(policy.text, policy.key, this.local);
    const taken = await this.#ask(input);
    this.#input = input;
    return { enforce: taken.enforce, notes: [...notes, ...taken.notes] };
  }

  async shadow(shadow: FleetShadow | null): Promise<void> {
    this.#shadow = null;
    say({ kind: 'shadowing', on: false });
    if (shadow === null) return;
    const { policy } = await readPolicy(shadow.text, shadow.key, this.local);
    this.#shadow = { policy, origin: shadow, users: usersNamed(policy.rules).users };
    say({ kind: 'shadowing', on: true });
  }

  /** In this thread, by what the guard goes on by: the guard hears nothing of it. */
  async preview(ask: PreviewAsk): Promise<PreviewFound> {
    const { previewMachine } = await import('./machine-preview.js');
    return previewMachine(this.#input ?? this.local.input, ask);
  }

  answered({ id, taken, refusal }: Extract<ToAgent, { kind: 'taken' }>): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (taken) waiting?.resolve(taken);
    else waiting?.reject(errorOf(refusal!));
  }

  /** What the shadow would have decided; null without one. */
  async verdict(whole: WholeDecision | null): Promise<ShadowVerdict | null> {
    if (this.#shadow === null || whole === null) return null;
    const { policy, origin, users } = this.#shadow;
    const by = { ...whole.by, users: new Map([...whole.by.users, ...users]) };
    const [{ decisionRecording }, { shadowVerdict }] = await Promise.all([
      import('../../recording/index.js'),
      import('../shadow.js'),
    ]);
    return shadowVerdict(await decisionRecording(whole.decision, whole.report, by), policy, origin);
  }

  #ask(input: PolicyInput | null): Promise<Taken> {
    return new Promise((resolve, reject) => {
      const id = ++this.#asked;
      this.#waiting.set(id, { resolve, reject });
      say({ kind: 'take', id, input });
    });
  }
}

function openSpool({ host, run, folder, settings }: FleetWorkerData): Spool {
  let drops = 0;
  return new Spool(diskStore(folder), {
    bytesMost: settings.spoolMib * MIB,
    droppedIn,
    dropped: (count) => {
      const id = `${run}.dropped.${++drops}`;
      const report = { schema: REPORT_SCHEMA, kind: 'dropped', id, host, wall_ms: Date.now(), count };
      return { subject: reportSubject(host, 'decision'), id, text: JSON.stringify(report) };
    },
  });
}

/** Tells memory when its level has changed, and now and then. */
function watchMemory(agent: FleetAgent): { changed: () => void; close: () => void } {
  const readings = new MemorySubscription(data.readings);
  const pressure = new PressureNews();
  const tell = () => {
    const news = readings.latest();
    if (news !== null && pressure.isNews(news, performance.now())) agent.pressed(news);
  };
  const timer = setInterval(tell, PRESSURE_EVERY_MS);
  tell();
  return { changed: tell, close: () => clearInterval(timer) };
}

function openLink({ settings, host }: FleetWorkerData): Promise<NatsLink> {
  const { servers, credentials, tlsCa, tlsCert, tlsKey } = settings;
  return NatsLink.open({
    ...{ servers, name: `badness ${host}`, note, options: { inboxPrefix: `_INBOX.${tokenOf(host)}` } },
    ...{ credentials: credentials ?? undefined, tlsCa: tlsCa ?? undefined },
    ...{ tlsCert: tlsCert ?? undefined, tlsKey: tlsKey ?? undefined },
  });
}

async function start(): Promise<void> {
  const { settings, host, version, run, folder, local, enforce } = data;
  const { labels, trust } = settings;
  const guard = new GuardThere(local);
  const spool = openSpool(data);
  const link = await openLink(data);
  const verify = trust.length > 0 ? verifier(trust) : null;
  if (verify === null) note('fleet.trust names no key, so no policy is taken from it');
  const agent = new FleetAgent({
    ...{ host, labels, version, run, enforce, verify, link, guard, spool, note },
    ...{ memory: diskMemory(folder), clock: idleClock, wallMs: Date.now },
  });
  const memory = watchMemory(agent);
  // One after the other: a shadow takes its time, and decisions stay in their order.
  let deciding: Promise<void> = Promise.resolve();
  const decided = async ({ whole, ...news }: Extract<ToAgent, { kind: 'decision' }>) =>
    agent.decided({ ...news, shadow: await guard.verdict(whole) });
  port.on('message', (message: ToAgent) => {
    switch (message.kind) {
      case 'decision':
        deciding = deciding.then(() => decided(message)).catch((error: Error) => note(error.message));
        return;
      case 'level':
        return memory.changed();
      case 'taken':
        return guard.answered(message);
      case 'local':
        guard.local = message.local;
        void agent.again();
        return;
      case 'close':
        memory.close();
        void deciding
          .then(() => agent.close())
          .then(() => link.close())
          .finally(() => endThread(port));
    }
  });
  agent.start();
  say({ kind: 'started' });
}

start().catch((error: unknown) => {
  say({ kind: 'refused', refusal: refusalOf(error instanceof Error ? error : new BadnessError('EIO', String(error))) });
  endThread(port);
});
