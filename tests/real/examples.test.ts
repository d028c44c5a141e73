// examples/worker-pool in a container of its own: under its pressure the worst worker is recycled, no other, and every task is done.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { limitedGroup } from './support/guarded-group.js';
import { v1Top } from './support/hog.js';

const LIMIT_MIB = 512;
/** The large customer's worker would come to 600 MiB. */
const TASKS = 150;
const LIMIT_MS = 120_000;

const found = v1Top();
const skip = 'skip' in found && found.skip;

test('examples: a pool recycles its worst worker when its container runs short, and no other', { skip }, async (t) => {
  const { dir } = limitedGroup(t, 'pool', LIMIT_MIB);
  // In the group before it is Node.
  const line = 'echo $$ > "$0" && exec "$1" examples/worker-pool/pool.mjs "$2"';
  const args = ['-c', line, join(dir, 'cgroup.procs'), process.execPath, String(TASKS)];
  const pool = spawn('sh', args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: LIMIT_MS });
  let said = '';
  pool.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  assert.deepEqual(await once(pool, 'close'), [0, null], said);
  t.diagnostic(said.trimEnd());
  const [domain, ...lines] = said.trimEnd().split('\n');
  assert.match(domain!, /^guards memcg \/.*badness-pool-/);
  const [, times] = new RegExp(`^${4 * TASKS} tasks done; recycled 0, 0, 0, (\\d+) times$`).exec(lines.pop()!) ?? [];
  assert.ok(Number(times) >= 1, said);
  assert.equal(lines.length, Number(times));
  for (const one of lines) assert.match(one, /^worker 3 recycled: it held \d{2,3} MiB$/);
});
