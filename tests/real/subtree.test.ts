// A subtree with a budget, watched by an ordinary user without any cgroup: who is found, what is charged, what a budget keeps.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { realCount } from './support/count.js';
import { realBinary } from './support/hostile-binary.js';
import { type Agent, isAgent, serveScenes, startAgent } from './support/subtree-agent.js';
import { SCENES } from './support/subtree-scenes.js';

const BUDGET_MIB = 220;
const ROUNDS = 20;

async function agent(t: TestContext): Promise<Agent | null> {
  const [orphans, hostile] = [realBinary('orphans'), realBinary('hostile')];
  if ('skip' in orphans || 'skip' in hostile) {
    t.skip('skip' in orphans ? orphans.skip : 'no hostile.c');
    return null;
  }
  const started = await startAgent(fileURLToPath(import.meta.url), { orphans: orphans.path, hostile: hostile.path });
  t.after(() => started.end());
  return started;
}

/** Within a tenth, and at least 4 MiB for what comes and goes. */
function near(actual: unknown, mib: number, what: string): void {
  assert.ok(Math.abs(Number(actual) - mib) <= Math.max(4, mib / 10), `${what}: ${actual} MiB charged, ${mib} expected`);
}

function defineMembers(): void {
  test('subtree: who was orphaned between two looks is found by the cookie, who was seen before stays known', async (t) => {
    const answers = await (await agent(t))?.play('escapes');
    if (!answers) return;
    t.diagnostic(JSON.stringify(answers));
    assert.deepEqual(answers, {
      session: 3,
      group: 3,
      bare: 0, // the gap: parents gone, never seen, environment cleared
      watched: 1,
      'session without cookie': 0,
      'group without cookie': 0,
      'bare without cookie': 0,
      'watched without cookie': 1,
    });
  });

  test('subtree: processes of the same user and session that others started are not members', async (t) => {
    const started = await agent(t);
    if (!started) return;
    // After the agent: its age alone would tell it apart.
    const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const stranger = spawn('sleep', ['60'], { stdio: 'ignore', cwd: '/', ...user });
    t.after(() => stranger.kill('SIGKILL'));
    const answers = await started.play('strangers', stranger.pid!);
    assert.deepEqual(answers, { pids: [String(answers.tool)], tool: answers.tool, stranger: false, root: false });
  });
}

function defineCharges(): void {
  test('subtree: memory is charged once, whoever maps it', async (t) => {
    const answers = await (await agent(t))?.play('charge');
    if (!answers) return;
    t.diagnostic(JSON.stringify(answers));
    near(answers.own, 100, 'two orphans of 50 MiB');
    near(answers.shared, 60, 'shared memory in four processes');
    near(answers.copies, 80, 'a process and three copies of it that only read');
    near(answers.sharemm, 60, 'two processes in one address space');
    near(answers['sharemm by kcmp'], 60, 'the same, by kcmp');
    near(answers['leader ended'], 50, 'a process whose leader has ended');
  });

  test('subtree: forks that are about to call execve do not count twice', async (t) => {
    const answers = await (await agent(t))?.play('spawning');
    if (!answers) return;
    t.diagnostic(JSON.stringify(answers));
    assert.ok(Number(answers.readings) >= 50, 'they were read while it forked');
    near(answers.mostMib, 100, 'the highest charge');
  });

  test('subtree: orphans that leak die, the agent and the quiet one live', async (t) => {
    const rounds = realCount(ROUNDS);
    for (let round = 0; round < rounds; ++round) {
      const started = await agent(t);
      if (!started) return;
      const answers = await started.play('budget', BUDGET_MIB);
      t.diagnostic(JSON.stringify(answers));
      const { killed, leaks, quiet, left, mostMib, leftMib } = answers;
      assert.deepEqual({ killed, leaks, quiet, left }, { killed: 2, leaks: 2, quiet: 1, left: 1 });
      assert.ok(Number(mostMib) < BUDGET_MIB * 1.1, `at most ${mostMib} MiB`);
      assert.ok(Number(leftMib) < BUDGET_MIB, `${leftMib} MiB left`);
      started.end();
    }
  });
}

function defineCosts(): void {
  test('subtree: without a descriptor left newcomers are found all the same', async (t) => {
    const answers = await (await agent(t))?.play('descriptors');
    if (!answers) return;
    const { code, refused, kept, left, known } = answers;
    assert.deepEqual({ code, refused, kept, left, known }, { code: 'EMFILE', refused: '', kept: 6, left: 1, known: 7 });
  });

  test('subtree: what a reading of fifty members costs', async (t) => {
    const answers = await (await agent(t))?.play('cost');
    if (!answers) return;
    t.diagnostic(`${JSON.stringify(answers)} µs`);
    assert.equal(answers.members, 50);
  });
}

if (isAgent) await serveScenes(SCENES);
else for (const define of [defineMembers, defineCharges, defineCosts]) define();
