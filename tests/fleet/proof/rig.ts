/** A fleet of machines that do not exist against a real server: how long a policy takes, and what a killed server and a partition cost. */
import { Fleet, newSigningKey } from '../../../src/fleet/index.js';
import { type Scope, startServer } from '../support/nats-server.js';
import { HostsProcess, type HostsSettings } from './hosts.js';
import { openPartition } from './partition.js';
import { SHORT } from './short.js';

export interface RigOptions {
  readonly hosts: number;
  /** Processes, half of them on the far side of the partition. */
  readonly processes: number;
  /** Decisions of each machine, and the time from one to the next. */
  readonly rounds: number;
  readonly everyMs: number;
  /** How long the server is away, and then how long the partition lasts. */
  readonly downMs: number;
  readonly cutMs: number;
  readonly pingMs: number;
  /** Bytes of decisions that each machine keeps while there is no server. */
  readonly spoolBytes: number;
  /** hosts.worker.js, as it was bundled. */
  readonly program: URL;
}

export interface RigResult {
  readonly hosts: number;
  readonly partition: string;
  /** From the put to the last machine that has it. */
  readonly policy_ms: number;
  readonly told: number;
  /** Decisions that the spools had no room for, by the machines' own count. */
  readonly dropped: number;
  /** By reading the stream: decisions, and different ones among them; what machines said they dropped. */
  readonly read: number;
  readonly distinct: number;
  readonly said_dropped: number;
  /** told − dropped − distinct, and read − distinct. */
  readonly lost: number;
  readonly twice: number;
  /** Messages of decisions that the server stored: those that were stored twice are among them. */
  readonly stored: number;
  readonly hosts_cpu_ms: number;
  readonly hosts_rss_bytes: number;
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function namesOf({ hosts, processes }: RigOptions): string[][] {
  const names = Array.from({ length: hosts }, (_, index) => `host-${String(index).padStart(4, '0')}`);
  return Array.from({ length: processes }, (_, process) => names.filter((_name, at) => at % processes === process));
}

async function readDecisions(fleet: Fleet): Promise<Pick<RigResult, 'read' | 'distinct' | 'said_dropped'>> {
  const ids = new Set<string>();
  let read = 0;
  let dropped = 0;
  for await (const report of fleet.reports({ kind: 'decision' })) {
    if (report.kind === 'dropped') dropped += report.count;
    if (report.kind !== 'decision') continue;
    read += 1;
    ids.add(report.id);
  }
  return { read, distinct: ids.size, said_dropped: dropped };
}

async function storedDecisions(fleet: Fleet): Promise<number> {
  const [{ jetstreamManager }, { natsOf }] = await Promise.all([
    import('@nats-io/jetstream'),
    import('../../../src/fleet/live/connect.js'),
  ]);
  const manager = await jetstreamManager(natsOf(fleet.connection));
  const { state } = await manager.streams.info('badness', { subjects_filter: 'badness.*.decision' });
  return Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
}

/** A server that comes and goes, and machines on both sides of a partition. */
export async function runRig(t: Scope, options: RigOptions): Promise<RigResult> {
  const { rounds, everyMs, downMs, cutMs, pingMs, spoolBytes, program } = options;
  const partition = openPartition(t);
  const server = await startServer(t, '', partition.address);
  const far = await partition.reach(server.port);
  const key = newSigningKey();
  const fleet = await Fleet.connect({ servers: [server.url] });
  t.after(() => fleet.close());
  await fleet.setUp();
  const policies = await fleet.policies({ pem: key.pem });
  const processes = namesOf(options).map((hosts, index) => {
    const isFar = index % 2 === 1;
    const settings: HostsSettings = {
      ...{ url: isFar ? far : server.url, hosts, labels: [], trust: [key.trust], spoolBytes, pingMs, recording: SHORT },
      links: Math.max(1, Math.ceil(hosts.length / 50)),
    };
    return new HostsProcess(t, program, settings, isFar ? partition.within : []);
  });
  const all = <T>(ask: Parameters<HostsProcess['ask']>[0]) => Promise.all(processes.map((one) => one.ask<T>(ask)));
  await Promise.all(processes.map((one) => one.up()));
  // What the first connection and look of every machine cost is not the way of a policy.
  const first = await policies.change({ kind: 'default' }, { policy: 'version = 1\n' });
  await all({ kind: 'taken', sequence: first.statement.sequence });
  const putMs = Date.now();
  const put = await policies.change({ kind: 'default' }, { policy: 'version = 1\n# two\n' });
  const policyMs = Math.max(...(await all<number>({ kind: 'taken', sequence: put.statement.sequence }))) - putMs;
  const telling = all<number>({ kind: 'tell', rounds, everyMs });
  const pauseMs = (rounds * everyMs) / 4;
  await sleep(pauseMs);
  await server.kill();
  await sleep(downMs);
  await server.restart();
  await sleep(pauseMs);
  partition.cut();
  await sleep(cutMs);
  partition.heal();
  const told = (await telling).reduce((sum, count) => sum + count, 0);
  const settled = await all<{ dropped: number }>({ kind: 'settled' });
  const dropped = settled.reduce((sum, one) => sum + one.dropped, 0);
  const found = await readDecisions(fleet);
  const costs = await all<{ cpuMs: number; rssBytes: number }>({ kind: 'cost' });
  const stored = await storedDecisions(fleet);
  await all({ kind: 'close' });
  return {
    ...{ hosts: options.hosts, partition: partition.how, policy_ms: policyMs, told, dropped, ...found, stored },
    ...{ lost: told - dropped - found.distinct, twice: found.read - found.distinct },
    hosts_cpu_ms: Math.round(costs.reduce((sum, { cpuMs }) => sum + cpuMs, 0)),
    hosts_rss_bytes: costs.reduce((sum, { rssBytes }) => sum + rssBytes, 0),
  };
}
