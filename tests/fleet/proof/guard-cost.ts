/** What a fleet adds to an idle guard of this machine: CPU time by the scheduler's count, and memory that no other process shares. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fleet, newSigningKey } from '../../../src/fleet/index.js';
import { type Scope, startServer } from '../support/nats-server.js';

const WARM_MS = 20_000;
const MEASURED_MS = 60_000;

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Of all its threads, ms. */
function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const spent = threads.map((tid) => Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]));
  return spent.reduce((sum, ns) => sum + ns, 0) / 1e6;
}

function privateMib(pid: number): number {
  const [, kib] = /^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}

function startGuard(t: Scope, path: string): ChildProcess {
  const child = spawn(process.execPath, ['dist/cli.js', 'guard', '--policy', path], {
    ...{ stdio: 'ignore' as const, env: { ...process.env, BADNESS_CONTROL: 'none' } },
  });
  t.after(() => void child.kill('SIGKILL'));
  return child;
}

/** Both guards run at the same time, so that the machine is as busy for the one as for the other. */
export async function guardCost(t: Scope) {
  const folder = mkdtempSync(join(tmpdir(), 'badness-guard-cost-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const server = await startServer(t);
  const fleet = await Fleet.connect({ servers: [server.url] });
  t.after(() => fleet.close());
  await fleet.setUp();
  const [alone, member] = [join(folder, 'alone.toml'), join(folder, 'member.toml')];
  const { trust } = newSigningKey();
  writeFileSync(alone, 'version = 1\n');
  const settings = `servers = ["${server.url}"]\nfolder = "${folder}"\ntrust = ["${trust}"]\n`;
  writeFileSync(member, `version = 1\n[fleet]\n${settings}`);
  const guards = [startGuard(t, alone), startGuard(t, member)];
  await sleep(WARM_MS);
  const before = guards.map(({ pid }) => cpuMs(pid!));
  await sleep(MEASURED_MS);
  const [own, withFleet] = guards.map(({ pid }, index) => ((cpuMs(pid!) - before[index]!) / MEASURED_MS) * 1000);
  const [ownMib, fleetMib] = guards.map(({ pid }) => privateMib(pid!));
  const rounded = (value: number) => Math.round(value * 1000) / 1000;
  return {
    ...{ guard_cpu_ms_per_s: rounded(own!), added_cpu_ms_per_s: rounded(withFleet! - own!) },
    ...{ guard_mib: rounded(ownMib!), added_mib: rounded(fleetMib! - ownMib!) },
  };
}
