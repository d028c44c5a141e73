// Protection of real processes that the test started: children from then on, not those before, and no round chooses them.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { openEngine } from '../../src/engine.js';
import { Protector } from '../../src/linux/protector.js';
import { queueTasks } from '../../src/linux/queue-tasks.js';
import { readTasks } from '../../src/linux/read-all.js';
import { rankedAt, scoreTasks } from '../../src/rank.js';

const skip = process.platform !== 'linux' && 'needs Linux';
const childrenTold =
  skip || (readdirSync(`/proc/self/task/${process.pid}`).includes('children') ? false : 'no CONFIG_PROC_CHILDREN');

/** A shell that starts a sleeper for each line it is sent, and says its pid. */
async function nursery(t: TestContext) {
  const shell = spawn('sh', ['-c', 'while read line; do sleep 60 & echo $!; done'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  await once(shell, 'spawn');
  const pid = shell.pid!;
  t.after(() => process.kill(-pid, 'SIGKILL'));
  const born = async () => {
    shell.stdin.write('one\n');
    const [text] = (await once(shell.stdout, 'data')) as [Buffer];
    return Number(text.toString());
  };
  return { shell: shell as ChildProcess, pid, born };
}

async function scene(t: TestContext) {
  const engine = await openEngine({ maxTasks: readdirSync('/proc').length + 2048 });
  const said: string[] = [];
  const protector = new Protector(engine, { tell: (words) => said.push(words) });
  t.after(() => protector.close());
  const reasonOf = (pid: number) => {
    readTasks(engine, { exempt: protector.exempt });
    scoreTasks(engine, {});
    for (let slot = 0; slot < engine.count; ++slot) {
      if (engine.u32(L.C_ID, slot) === pid) return rankedAt(engine, slot, 'badness').reason;
    }
    return 'not there';
  };
  return { protector, reasonOf, said };
}

describe('protector', { skip }, () => {
  test('a protected task and the children it forks from then on are not eligible; those before are', async (t) => {
    const { protector, reasonOf } = await scene(t);
    const { pid, born } = await nursery(t);
    const before = await born();
    // A start time counts hundredths of a second.
    await new Promise((later) => setTimeout(later, 30));
    assert.equal(protector.protect(pid), true);
    assert.equal(protector.protect(pid), false);
    await new Promise((later) => setTimeout(later, 30));
    const after = await born();
    assert.deepEqual([pid, before, after].map(reasonOf), ['protected', null, 'protected']);
    assert.equal(protector.unprotect(pid), true);
    assert.deepEqual([pid, after].map(reasonOf), [null, null]);
  });

  test('a look asks each protected task as often as before, however many more there are', async (t) => {
    const { protector } = await scene(t);
    const { born } = await nursery(t);
    const asked = async (more: number) => {
      for (let one = 0; one < more; ++one) protector.protect(await born());
      const { mock } = t.mock.method(queueTasks, 'isAlive');
      protector.refresh();
      mock.restore();
      return mock.callCount() / protector.set.count;
    };
    assert.equal(await asked(4), await asked(8));
  });

  test('a child stays protected when its parent ends, once it was seen', { skip: childrenTold }, async (t) => {
    const { protector, reasonOf } = await scene(t);
    const { shell, pid, born } = await nursery(t);
    protector.protect(pid);
    await new Promise((later) => setTimeout(later, 30));
    const child = await born();
    protector.refresh();
    assert.deepEqual(
      protector.set.list().map(({ tgid, parent }) => [tgid, parent]),
      [
        [pid, 0],
        [child, pid],
      ],
    );
    shell.kill('SIGKILL');
    await once(shell, 'exit');
    protector.refresh();
    assert.equal(reasonOf(child), 'protected');
    assert.deepEqual(
      protector.set.list().map(({ tgid }) => tgid),
      [child],
    );
  });

  test('children that cannot be held are told of once, and never end the guard', { skip: childrenTold }, async (t) => {
    const { protector, said } = await scene(t);
    const { pid, born } = await nursery(t);
    protector.protect(pid);
    await new Promise((later) => setTimeout(later, 30));
    const child = await born();
    said.length = 0;
    const full = t.mock.method(queueTasks, 'open', () => {
      throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
    });
    protector.refresh();
    protector.refresh();
    assert.deepEqual(said, ['not every child of a protected task is protected: EMFILE: too many open files']);
    full.mock.restore();
    protector.refresh();
    assert.equal(protector.set.has(child), true);
  });

  test('nobody by that id is ESRCH, a kernel thread EPERM', async (t) => {
    const { protector } = await scene(t);
    assert.throws(() => protector.protect(4_194_304), { code: 'ESRCH' });
    const kthread = readdirSync('/proc').includes('2');
    if (kthread) assert.throws(() => protector.protect(2), { code: /^(EPERM|ESRCH)$/ });
  });

  test('what the kernel refuses is said once, and the set holds all the same', async (t) => {
    const { protector, said } = await scene(t);
    const [one, two] = [await nursery(t), await nursery(t)];
    protector.protect(one.pid);
    protector.protect(two.pid);
    assert.equal(protector.set.count, 2);
    // With CAP_SYS_RESOURCE nothing is refused.
    assert.ok(said.length <= 1);
    for (const words of said) assert.match(words, /^oom_score_adj cannot be set \(EACCES\)/);
  });
});
