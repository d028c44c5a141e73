// A memory cgroup as a domain, from files as kernels print them: what it watches, and what it does without.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memcgDomain } from '../../src/linux/memcg-domain.js';
import { loadNative } from '../../src/linux/native.js';
import { definePolicy } from '../../src/policy/policy.js';
import { FileTree, MIB, statV1 } from './support/pressure-fixtures.js';

const { native, reason } = await loadNative();
const skip = native === null ? `no native calls: ${reason}` : false;

test('memcg domain: where nothing can be registered the group is sampled, and guarded all the same', { skip }, (t) => {
  const tree = new FileTree(t, {
    'a/memory.limit_in_bytes': `${512 * MIB}\n`,
    'a/memory.usage_in_bytes': `${100 * MIB}\n`,
    'a/memory.stat': statV1({ inactive: 4096, active: 4096 }, 50 * MIB),
    'a/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 0\n',
    // As in a container whose cgroups are mounted read-only: opening it for writing fails.
    'a/cgroup.event_control/nothing': '',
  });
  const domain = memcgDomain({ version: 1, dir: tree.at('a'), limitBytes: 512 * MIB }, { path: '/a', native });
  const sources = domain.sources(true, definePolicy({}).thresholds);
  t.after(() => {
    for (const source of sources) source.close();
    domain.close();
  });
  assert.deepEqual(
    sources.map((source) => [source.name, source.read(0).level]),
    [[`oom_control ${tree.at('a')}`, 'none']],
  );
  assert.match((sources[0] as unknown as { note: string }).note, /^sampled: EISDIR/);
});
