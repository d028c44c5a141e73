/** Questions through a real server: who would die on each machine, who was silent, and what was decided. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Fleet, NatsLink, type PreviewAnswer, type PreviewAsk, type PreviewFound } from '../../src/fleet/index.js';
import { eventually } from './support/eventually.js';
import { openLinkedScene } from './support/fleet-scene.js';
import { WITHOUT_SERVER } from './support/nats-server.js';
import { securedServer } from './support/secured.js';
import { SimulatedGuard, simulate } from './support/simulated.js';

const skip = WITHOUT_SERVER;

class Previewing extends SimulatedGuard {
  readonly asked: PreviewAsk[] = [];
  readonly #percent: number;
  readonly #isSilent: boolean;

  constructor(percent: number, isSilent = false) {
    super();
    this.#percent = percent;
    this.#isSilent = isSilent;
  }

  async preview(ask: PreviewAsk): Promise<PreviewFound> {
    this.asked.push(ask);
    if (this.#isSilent) await new Promise(() => {});
    const memory = (percent: number) => ({
      ...{ total_kib: 1000, available_kib: percent * 10, available_percent: percent },
      ...{ swap_total_kib: 0, swap_free_kib: 0 },
    });
    const kills = [{ pid: 7, comm: 'h\u001b[31mog', points: 3000, signal: 'SIGKILL', back_kib: 2048 }];
    return {
      ...{ domain: 'system', scheme: 'badness', now: memory(this.#percent), level: 'none', start: memory(5) },
      ...{ start_level: 'kill', kills, end: 'enough' },
    };
  }
}

test('fleet who-dies, top: answers of those who are there, who is silent is named; terminals get no escapes', {
  skip,
}, async (t) => {
  const { server, fleet, link } = await openLinkedScene(t);
  const guards = [new Previewing(40), new Previewing(20), new Previewing(30, true)];
  const hosts = ['web-1.example', 'web-2', 'web-3'];
  const machines = hosts.map((host, index) => simulate(host, link, { guard: guards[index]! }));
  const gone = simulate('web-4', link);
  const states = async () => (await (await fleet.policies()).states()).length;
  await eventually(async () => (await states()) === 4, 'all states');
  await gone.agent.close();
  await eventually(async () => (await fleet.whoDies({ available: '5%', deadlineMs: 300 })).silent.length === 1);
  assert.deepEqual(guards[0]!.asked.at(-1), {
    ...{ schema: 1, kind: 'preview', available: '5%', swap_free: null, most: 100 },
  });
  const run = async (...args: string[]) => {
    const env = { ...process.env, BADNESS_FLEET: server.url };
    return (await promisify(execFile)(process.execPath, ['dist/cli.js', 'fleet', ...args], { env, timeout: 60_000 }))
      .stdout;
  };
  const who = await run('who-dies', '--available', '5%', '--deadline', '1s');
  assert.match(who, /^HOST +LEVEL +# +PID/);
  assert.match(who, /web-1\.example +kill +1 +7 +SIGKILL +2\.00 MiB +3,000 +h.*og\n/);
  assert.match(who, /2 of 3 machines answered; silent: web-3\n$/);
  assert.ok(!who.includes('\u001b'));
  const top = (await run('top', '--deadline', '1s')).split('\n');
  assert.match(top[1]!, /^web-2 +calm +20\.0 % +7/);
  assert.match(top[2]!, /^web-1\.example +calm +40\.0 %/);
  const lines = (await run('top', '--json', '--host', 'web-2', '--host', 'nobody', '--deadline', '1s'))
    .trim()
    .split('\n');
  const [first, second] = lines.map((line) => JSON.parse(line) as PreviewAnswer);
  assert.deepEqual([first!.host, first!.found?.kills[0]?.pid], ['web-2', 7]);
  assert.deepEqual(second, { kind: 'silent', host: 'nobody' });
  for (const { agent } of machines) await agent.close();
});

test('fleet decisions: those of the time and the machine that were asked for, in words and as they were told', {
  skip,
}, async (t) => {
  const { server, link } = await openLinkedScene(t);
  await eventually(() => link.isUp, 'the link');
  const report = {
    outcome: 'released',
    reason: null,
    enforce: true,
    victim: { tgid: 7, comm: 'hog' },
    freed_bytes: 2 ** 21,
  };
  for (const host of ['web-1', 'web-2']) {
    const { agent } = simulate(host, link);
    agent.decided({ wallMs: Date.UTC(2026, 0, 1), event: { kind: 'round', report }, record: new Uint8Array([1, 2]) });
    await agent.settled();
    await agent.close();
  }
  const run = async (...args: string[]) => {
    const command = ['dist/cli.js', 'fleet', 'decisions', '--fleet', server.url, ...args];
    return (await promisify(execFile)(process.execPath, command, { timeout: 60_000 })).stdout;
  };
  const line = '2026-01-01T00:00:00Z web-1 released: 7 (hog), 2.00 MiB freed; own policy';
  assert.equal(await run(), `${line}\n${line.replace('web-1', 'web-2')}\n`);
  const told = JSON.parse(await run('--since', '1h', '--host', 'web-2', '--json')) as { id: string; record: string };
  assert.deepEqual([told.id, told.record], ['web-2-1.1', 'AQI=']);
  assert.equal(await run('--since', '1ms'), '');
});

test('fleet who-dies: on the permissions of docs/fleet.md a machine answers for itself, and hears no question to another', {
  skip,
}, async (t) => {
  const { keeper, machine } = await securedServer(t);
  const fleet = await Fleet.connect(keeper);
  t.after(() => fleet.close());
  await fleet.setUp();
  const link = await NatsLink.open(machine);
  t.after(() => link.close());
  await eventually(() => link.isUp, 'the link');
  const { agent } = simulate('web-1', link, { guard: new Previewing(40) });
  const heard: string[] = [];
  link.subscribe('badness-ask.web-2.preview', ({ text, respond }) => {
    heard.push(text);
    respond(text);
  });
  const hosts = ['web-1', 'web-2'];
  const { answers, silent } = await eventually(async () => {
    const gathered = await fleet.whoDies({ available: '5%', hosts, deadlineMs: 500 });
    return gathered.answers.length > 0 && gathered;
  });
  assert.deepEqual([answers.map(({ host }) => host), silent, heard], [['web-1'], ['web-2'], []]);
  await agent.close();
});
