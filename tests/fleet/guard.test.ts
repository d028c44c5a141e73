/** `badness guard` with a fleet: real processes, a real server. Nobody is signalled: the guards only say what they would do. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type DecisionReport, Fleet, newSigningKey } from '../../src/fleet/index.js';
import { askControl } from '../../src/linux/index.js';
import { badness } from '../src/support/badness.js';
import { type GuardProcess, runGuard } from '../src/support/guard-process.js';
import { eventually } from './support/eventually.js';
import { type NatsServer, startServer, WITHOUT_SERVER } from './support/nats-server.js';
import { scratch } from './support/scratch.js';

const skip = WITHOUT_SERVER;
const everybody = { kind: 'default' } as const;
/** Memory is never short, so that nothing but what is asked for is decided. */
const NEVER_SHORT = 'thresholds.term.available = "1KiB"\n';

interface Machine {
  readonly guard: GuardProcess;
  readonly socket: string;
  readonly folder: string;
  readonly file: string;
}

async function startMachine(t: TestContext, servers: readonly string[], trust: string, more = ''): Promise<Machine> {
  const folder = scratch(t);
  const file = join(folder, 'own.toml');
  const fleet = `[fleet]\nservers = ${JSON.stringify(servers)}\nhost = "web 1.x"\nfolder = "${folder}/state"\ntrust = ["${trust}"]\n`;
  writeFileSync(file, `version = 1\ndomain = "system"\n${NEVER_SHORT}${more}${fleet}`);
  return { ...(await startAgain(t, folder, file)), folder, file };
}

async function startAgain(t: TestContext, folder: string, file: string) {
  const socket = join(folder, 'socket');
  const guard = await runGuard(t, { args: ['--policy', file, '--control', socket] });
  return { guard, socket };
}

/** One round by hand, dry. */
const round = (socket: string) => askControl(socket, { resource: '/round', method: 'POST' });

async function decisionsOf(fleet: Fleet): Promise<DecisionReport[]> {
  const found: DecisionReport[] = [];
  for await (const report of fleet.reports({ kind: 'decision' })) if (report.kind === 'decision') found.push(report);
  return found;
}

async function openFleet(t: TestContext, server: NatsServer) {
  const fleet = await Fleet.connect({ servers: [server.url] });
  t.after(() => fleet.close());
  await fleet.setUp();
  const key = newSigningKey();
  return { fleet, key, policies: await fleet.policies({ pem: key.pem }) };
}

test('guard in a fleet: it takes a policy, keeps what its own file pins, and decisions come whole, with what a shadow would have done', {
  skip,
}, async (t) => {
  const server = await startServer(t);
  const { fleet, key, policies } = await openFleet(t, server);
  const pinned = '[[rule]]\ncomm = "nobody-has-this"\nlocal = "never"\n';
  const { guard, socket, file } = await startMachine(t, [server.url], key.trust, pinned);
  const shadow = 'version = 1\nthresholds.term.available = "100%"\nthresholds.term.swap_free = "100%"\n';
  const policy = `version = 1\nscheme = "resident"\n${NEVER_SHORT}`;
  const { revision } = await policies.change(everybody, { policy, shadow });
  await eventually(async () => (await policies.states())[0]?.shadow, 'the shadow');
  const state = (await policies.states())[0]!;
  assert.deepEqual(
    [state.host, state.policy?.revision, state.refused, state.shadow?.error],
    ['web 1.x', revision, [], null],
  );
  await round(socket);
  const [decision] = await eventually(async () => {
    const found = await decisionsOf(fleet);
    return found.length > 0 && found;
  });
  assert.equal(decision!.policy?.revision, revision);
  const { report } = decision!.event as { report: { outcome: string; decision: number; victim: { tgid: number } } };
  assert.equal(report.outcome, 'dry');
  assert.equal(atob(decision!.record!).length, 640);
  // Memory is not short by the policy that asked for nothing; by the shadow it always is.
  assert.deepEqual([decision!.shadow?.changed, decision!.shadow?.outcome], [true, 'victim']);
  const shown = badness(['policy', 'show', '--effective', file]).stdout;
  assert.match(shown, new RegExp(`^# fleet: the policy of default, revision ${revision},.* counts$`, 'm'));
  assert.match(shown, /^scheme = "resident"$/m);
  assert.match(shown, /comm = "nobody-has-this"/);
  assert.equal((await guard.stop()).ended, 0);
  const last = await eventually(async () => (await policies.states()).find(({ running }) => !running));
  assert.equal(last.policy?.revision, revision);
});

test('guard in a fleet: a bad policy is refused by name and the old one stays; SIGHUP puts the new file below it', {
  skip,
}, async (t) => {
  const server = await startServer(t);
  const { key, policies } = await openFleet(t, server);
  const { guard, file } = await startMachine(t, [server.url], key.trust);
  const good = await policies.change(everybody, { policy: `version = 1\nscheme = "resident"\n${NEVER_SHORT}` });
  await eventually(async () => (await policies.states())[0]?.policy?.revision === good.revision);
  // What only the machine can know: it has no such domain table.
  const several = 'version = 1\n[[domain]]\nof = { numa_node = 0 }\n[[domain]]\nof = { numa_node = 1 }\n';
  await policies.change(everybody, { policy: several });
  const state = await eventually(async () => (await policies.states()).find(({ refused }) => refused.length > 0));
  assert.deepEqual([state.refused[0]!.code, state.policy?.revision], ['EDOMAIN', good.revision]);
  const taken = () => guard.lines.filter(({ kind }) => (kind as string) === 'policy').length;
  const before = taken();
  writeFileSync(
    file,
    `version = 1\ndomain = "system"\n[[rule]]\ncomm = "x"\nlocal = "never"\n[fleet]\nservers = ["${server.url}"]\n`,
  );
  guard.child.kill('SIGHUP');
  await guard.until('both reloads', () => taken() >= before + 2, 30_000);
  assert.ok(guard.lines.filter(({ kind }) => (kind as string) === 'policy').every(({ error }) => error === null));
  await guard.until('a note on its agent', () => guard.said.some((line) => /says of the fleet counts when/.test(line)));
});

test('guard in a fleet: decisions made while there is no server, and a guard killed −9, come later, each once', {
  skip,
}, async (t) => {
  const server = await startServer(t);
  const { fleet, key } = await openFleet(t, server);
  await fleet.close();
  await server.kill();
  const { guard, socket, folder, file } = await startMachine(t, [server.url], key.trust);
  const spool = join(folder, 'state', 'system');
  await round(socket);
  await round(socket);
  const waiting = () => existsSync(spool) && readdirSync(spool).filter((name) => name.endsWith('.spool')).length;
  await eventually(waiting, 'the spool');
  await round(socket);
  await eventually(async () => {
    const { readFileSync } = await import('node:fs');
    const [name] = readdirSync(spool).filter((file) => file.endsWith('.spool'));
    return readFileSync(join(spool, name!), 'utf8').split('\n').length === 4;
  }, 'three lines');
  guard.child.kill('SIGKILL');
  await guard.stop('SIGKILL');
  await server.restart();
  const again = await startAgain(t, folder, file);
  await round(again.socket);
  const later = await Fleet.connect({ servers: [server.url] });
  t.after(() => later.close());
  const found = await eventually(async () => {
    const decisions = await decisionsOf(later);
    return decisions.length >= 4 && decisions;
  }, 'four decisions');
  assert.equal(new Set(found.map(({ id }) => id)).size, 4);
  assert.equal(found.length, 4);
  await eventually(() => waiting() === 0, 'an empty spool');
});

test('guard in a fleet: cut off from the beginning it guards as one without, says so once, and ends as fast', {
  skip,
}, async (t) => {
  const { guard, socket } = await startMachine(t, ['nats://127.0.0.1:9'], newSigningKey().trust);
  assert.equal(JSON.parse((await round(socket)).body).outcome, 'dry');
  await guard.until('the note', () => guard.said.some((line) => line.includes('no server of the fleet')));
  assert.equal((await guard.stop()).ended, 0);
  assert.equal(guard.said.filter((line) => line.includes('no server of the fleet')).length, 1);
});

test('guard in a fleet: with damaged files of its agent it says so, guards without it, and ends as fast', {
  skip,
}, async (t) => {
  const server = await startServer(t);
  const { guard, folder, file } = await startMachine(t, [server.url], newSigningKey().trust);
  await guard.stop();
  const [name] = readdirSync(join(folder, 'state'));
  writeFileSync(join(folder, 'state', name!, 'standing.json'), '{');
  const again = await startAgain(t, folder, file);
  await again.guard.until('the note', () => again.guard.said.some((line) => /standing\.json is damaged/.test(line)));
  assert.equal(JSON.parse((await round(again.socket)).body).outcome, 'dry');
  assert.equal((await again.guard.stop()).ended, 0);
});
