/** Many machines that do not exist, in one process: asked by a line of JSON each, answers by one. The program of HostsProcess (hosts.ts). */
import { createInterface } from 'node:readline';
import { memoryStore, NatsLink, Spool } from '../../../src/fleet/index.js';
import { reportSubject } from '../../../src/fleet/names.js';
import { droppedIn, REPORT_SCHEMA } from '../../../src/fleet/report.js';
import { eventually } from '../support/eventually.js';
import { RecordedMachine } from '../support/recorded-machine.js';
import { simulate } from '../support/simulated.js';
import type { HostsAsk, HostsSettings } from './hosts.js';
import { SHORT } from './short.js';

const settings = JSON.parse(process.argv[2]!) as HostsSettings;
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function spoolOf(host: string): Spool {
  let drops = 0;
  return new Spool(memoryStore(), {
    bytesMost: settings.spoolBytes,
    droppedIn,
    dropped: (count) => {
      const id = `${host}.dropped.${++drops}`;
      const report = { schema: REPORT_SCHEMA, kind: 'dropped', id, host, wall_ms: Date.now(), count };
      return { subject: reportSubject(host, 'decision'), id, text: JSON.stringify(report) };
    },
  });
}

const machine = new RecordedMachine(settings.recording ?? SHORT);
const rounds = await machine.rounds();
const options = { pingInterval: settings.pingMs, maxPingOut: 2 };
const links = await Promise.all(
  Array.from({ length: settings.links }, () => NatsLink.open({ servers: [settings.url], options })),
);
const machines = settings.hosts.map((host, index) => {
  const spool = spoolOf(host);
  const { agent } = simulate(host, links[index % links.length]!, {
    ...{ trust: settings.trust, labels: settings.labels, guard: machine.guard(), spool },
  });
  return { agent, spool };
});
await eventually(() => links.every(({ isUp }) => isUp), 'all links');

/** When the last machine had it, ms since 1970. */
async function taken(sequence: number): Promise<number> {
  await eventually(() => machines.every(({ agent }) => agent.policy?.sequence === sequence), 'the policy everywhere');
  return Date.now();
}

/** So many rounds of each machine, spread over the time. */
async function tell(rounds_: number, everyMs: number): Promise<number> {
  for (let round = 0; round < rounds_; ++round) {
    for (const { agent } of machines) agent.decided({ ...rounds[round % rounds.length]!, wallMs: Date.now() });
    await sleep(everyMs);
  }
  return rounds_ * machines.length;
}

async function settled() {
  const waiting = () => machines.reduce((sum, { spool }) => sum + spool.waiting, 0);
  await eventually(() => waiting() === 0, 'empty spools', 180_000);
  return { dropped: machines.reduce((sum, { spool }) => sum + spool.dropped, 0) };
}

async function answer(ask: HostsAsk): Promise<unknown> {
  switch (ask.kind) {
    case 'taken':
      return taken(ask.sequence);
    case 'tell':
      return tell(ask.rounds, ask.everyMs);
    case 'settled':
      return settled();
    case 'cost': {
      const { user, system } = process.cpuUsage();
      return { cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() };
    }
    case 'close':
      for (const { agent } of machines) await agent.close();
      for (const link of links) await link.close();
      return null;
  }
}

console.log(JSON.stringify({ up: machines.length }));
for await (const line of createInterface({ input: process.stdin })) {
  const { id, ask } = JSON.parse(line) as { id: number; ask: HostsAsk };
  void answer(ask).then(
    (value) => console.log(JSON.stringify({ id, value })),
    (error: Error) => console.log(JSON.stringify({ id, error: error.message })),
  );
}
process.exit(0);
