// Reports of the kernel, line by line: every sample of the vector file, in every dress that a log can wear.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { openEngine } from '../../src/index.js';
import { type EventJson, eventToJson, readKernelLog, rerank } from '../../src/report/index.js';
import { bytesOf, DRESSES, KMSG_FILE, SAMPLES } from './support/oom-log.js';

const engine = await openEngine({ maxTasks: 64 });

function eventsOf(log: string | Uint8Array): EventJson[] {
  return readKernelLog(log).events.map((event) => eventToJson(event, rerank(engine, event)));
}

type Found = Record<string, unknown>;
const within = (event: EventJson, key: string) => (event[key] ?? {}) as Found;
const rowOf = (event: EventJson, tgid: number) => (event.ranking as Found[]).find((task) => task.tgid === tgid);

/** Where the object of an event holds what the vector file expects. */
const EXPECTED: Record<string, (event: EventJson) => unknown> = {
  pid: (event) => within(event, 'kernel_victim').pid,
  comm: (event) => within(event, 'kernel_victim').comm,
  uid: (event) => within(event, 'kernel_victim').uid,
  total_vm_kb: (event) => within(event, 'kernel_victim').total_vm_kb,
  anon_rss_kb: (event) => within(event, 'kernel_victim').anon_rss_kb,
  file_rss_kb: (event) => within(event, 'kernel_victim').file_rss_kb,
  shmem_rss_kb: (event) => within(event, 'kernel_victim').shmem_rss_kb,
  pgtables_kb: (event) => within(event, 'kernel_victim').pgtables_kb,
  oom_score_adj: (event) => within(event, 'kernel_victim').oom_score_adj,
  message: (event) => event.message,
  constraint: (event) => event.constraint,
  global: (event) => event.global_oom,
  mems_allowed: (event) => event.mems_allowed,
  oom_memcg: (event) => event.oom_memcg,
  task_memcg: (event) => event.task_memcg,
  gfp_mask: (event) => within(event, 'invoker').gfp_mask,
  gfp_flags: (event) => within(event, 'invoker').gfp_flags,
  nodemask: (event) => within(event, 'invoker').nodemask,
  order: (event) => within(event, 'invoker').order,
  invoker: (event) => within(event, 'invoker').comm,
  invoker_adj: (event) => within(event, 'invoker').oom_adj,
  selected_pid: (event) => within(event, 'selected').pid,
  score: (event) => within(event, 'selected').score,
  tasks: (event) => event.tasks,
  first_pgtables_bytes: (event) => rowOf(event, 501)?.pgtables_bytes,
  first_rss_shmem: (event) => rowOf(event, 501)?.rss_shmem_pages,
  reaped_pid: (event) => (event.reaped as Found[])[0]?.pid,
  unreaped_pid: (event) => (event.unreaped as Found[])[0]?.pid,
  oom_group: (event) => event.oom_group,
  no_victim: (event) => event.no_victim,
  already_exiting_pid: (event) => (event.already_exiting ? within(event, 'kernel_victim').pid : null),
};

/** What the vector file expects of a sample, as it was found. */
function foundFor(expect: Found, event: EventJson): Found {
  return Object.fromEntries(
    Object.keys(expect).map((key) => {
      assert.ok(EXPECTED[key], `the test knows where ${key} is`);
      return [key, EXPECTED[key](event)];
    }),
  );
}

describe('samples: every field that is expected is found', () => {
  for (const [index, { kernel, lines, expect }] of SAMPLES.entries()) {
    test(`sample ${index + 1}, kernel ${kernel}`, () => {
      const { events, counts } = readKernelLog(lines.join('\n'));
      assert.equal(events.length, 1);
      assert.equal(counts.read, lines.length, 'no line is left over');
      const [event] = eventsOf(lines.join('\n'));
      assert.deepEqual(foundFor(expect, event!), expect);
    });
  }
});

/** An event without what depends on the dress of its lines. */
function undressed(event: EventJson): EventJson {
  const { time, uptime_s, lines, ...rest } = event;
  return rest;
}

describe('samples: a prefix changes nothing', () => {
  for (const [name, dress] of Object.entries(DRESSES)) {
    test(name, () => {
      for (const { kernel, lines } of SAMPLES) {
        const plain = eventsOf(lines.join('\n')).map(undressed);
        const dressed = lines.map(dress).join('\n');
        assert.deepEqual(eventsOf(dressed).map(undressed), plain, `kernel ${kernel}, as text`);
        assert.deepEqual(eventsOf(bytesOf(`${dressed}\n`)).map(undressed), plain, `kernel ${kernel}, as bytes`);
      }
    });
  }

  test('blanks at the ends of lines change nothing where no name or path ends a line', () => {
    for (const { kernel, lines } of SAMPLES) {
      const padded = lines.map((line) => (/^\[ *\d|^Task in /.test(line) ? line : `${line}  `));
      assert.deepEqual(eventsOf(padded.join('\n')), eventsOf(lines.join('\n')), `kernel ${kernel}`);
    }
  });

  test('the time is what the dress says', () => {
    const stamp = (name: string) => {
      const [event] = eventsOf(DRESSES[name]!('Out of Memory: Killed process 501 (java).', 0));
      return [event!.time, event!.uptime_s];
    };
    assert.deepEqual(stamp('nothing before it'), [null, null]);
    assert.deepEqual(stamp('dmesg'), [null, 1445.78]);
    assert.deepEqual(stamp('dmesg -T'), ['Mon Nov 20 10:40:00 2023', null]);
    assert.deepEqual(stamp('/dev/kmsg'), [null, 1445.780654]);
    assert.deepEqual(stamp('syslog with times'), ['Nov 20 10:40:00', 1445.78]);
    assert.deepEqual(stamp('journalctl -o short-full'), ['Mon 2023-11-20 10:40:00 CET', null]);
    assert.deepEqual(stamp('journalctl -o json'), ['2023-11-20T10:00:01.000Z', null]);
  });
});

describe('kmsg-6.18-memcg.txt: a real report with hostile names', () => {
  const [event, ...more] = eventsOf(readFileSync(KMSG_FILE));

  test('one event, who asked and what was short', () => {
    assert.deepEqual(more, []);
    assert.equal(event!.report, 'whole');
    const invoker = { comm: 'hog )1 [2]', pid: 22179, gfp_mask: '0xcc0', gfp_flags: 'GFP_KERNEL', order: 0 };
    assert.deepEqual(event!.invoker, { ...invoker, nodemask: null, oom_adj: null, oom_score_adj: 0 });
    assert.equal(event!.constraint, 'CONSTRAINT_MEMCG');
    assert.equal(event!.oom_memcg, '/koom_s');
    assert.equal(event!.task_memcg, '/koom_s/job a');
    const { path, memory, memory_swap, stats } = within(event!, 'memcg');
    assert.equal(path, '/koom_s');
    assert.deepEqual(memory, { usage_kb: 24576, limit_kb: 24576, failcnt: 79 });
    assert.deepEqual(memory_swap, { usage_kb: 24576, limit_kb: null, failcnt: 0 });
    assert.equal((stats as Found).total_rss, 25096192);
    assert.equal(Object.keys(stats as Found).length, 41, 'all but the limit that is none');
    assert.equal(event!.suppressed_before, 238);
  });

  test('the victim, and what it gives back', () => {
    const { pid, comm, uid, anon_rss_kb, pgtables_kb, pgtables_unit } = within(event!, 'kernel_victim');
    assert.deepEqual([pid, comm, uid, anon_rss_kb], [22179, 'hog )1 [2]', 0, 29440]);
    assert.deepEqual([pgtables_kb, pgtables_unit], [124, 'kB']);
    assert.equal(event!.gives_back_kb, 29440 + 6800 + 124);
    assert.equal(event!.page_size, 4096);
    assert.equal(event!.page_size_from, 'kill line');
  });

  test('the scheme of its kernel is known, and names the victim', () => {
    assert.equal(event!.kernel_scheme, 'linux-5.9');
    assert.equal(event!.kernel_scheme_sure, 'sure');
    assert.equal(within(event!, 'kernel').release, '6.18.44');
    assert.equal(event!.same, true);
    assert.deepEqual(
      (event!.ranking as Found[]).map(({ tgid, points, comm }) => [tgid, points, comm]),
      [
        // 9060 resident pages and 31 of page tables; 3972, 19, and 7 · 6 for oom_score_adj in 24 MiB.
        [22179, 9091, 'hog )1 [2]'],
        [22178, 4033, 'idle (x) y'],
      ],
    );
  });
});
