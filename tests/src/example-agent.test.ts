// examples/agent: as an ordinary user its leaking tool is ended, it hears why, and it goes on.
import assert from 'node:assert/strict';
import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

const AGENT = 'examples/agent/agent.mjs';
const NOBODY = { uid: 65_534, gid: 65_534 };

/** Whoever runs the tests; of root as nobody, where nobody may read this folder. */
function ordinaryUser(): SpawnOptions | null {
  if (process.getuid?.() !== 0) return {};
  const { status } = spawnSync(process.execPath, ['--check', AGENT], { ...NOBODY, stdio: 'ignore' });
  return status === 0 ? NOBODY : null;
}

const user = process.platform === 'linux' ? ordinaryUser() : null;
const skip = user === null && 'needs Linux, and a folder that an ordinary user may read';

test('examples: an ordinary user’s agent survives its leaking tool, hears what came back, and goes on', {
  skip,
}, async (t) => {
  const agent = spawn(process.execPath, [AGENT, '256MiB'], { ...user, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => agent.kill('SIGKILL'));
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    agent[stream]!.setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text;
    });
  }
  assert.deepEqual([...(await once(agent, 'close')), said.stderr], [0, null, '']);
  const [before, leak, after, ...more] = said.stdout.trimEnd().split('\n');
  assert.match(before!, /^words ended with 0: \d+ words$/);
  const [, freedMib] = /^leak took too much memory and was ended: (\d+) MiB came back$/.exec(leak!) ?? [];
  assert.ok(Number(freedMib) > 50, leak);
  assert.deepEqual([after, more], [before, []]);
});
