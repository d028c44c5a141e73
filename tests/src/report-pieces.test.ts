// Lines that are one message and came as several, and messages of many lines that came as one.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readKernelLog } from '../../src/report/index.js';
import { DRESSES, reportLines, SAMPLES } from './support/oom-log.js';

const HOG = { tgid: 501, comm: 'java', uid: 1000, total_vm_pages: 70_000, rss_pages: 61_234, pgtables_bytes: 450_560 };
const SSHD = { tgid: 777, comm: 'sshd', total_vm_pages: 9000, rss_pages: 512, pgtables_bytes: 73_728 };
const REPORT = reportLines({ era: '6.8', tasks: [HOG, SSHD], victim: HOG, totalPages: 100_000 });

const NOISE = ['usb 1-1: new high-speed USB device', 'EXT4-fs (sda1): mounted filesystem'];

const read = (lines: string[]) => readKernelLog(lines.join('\n')).events;

describe('lines that are one and came as several', () => {
  const at = REPORT.findIndex((line) => line.startsWith('oom-kill:'));
  const context = REPORT[at]!;

  test('a context line printed in pieces, with others between them', () => {
    const pieces = context.replace(/(,(?:cpuset|mems_allowed|global_oom|task_memcg)=?)/g, '\n$1').split('\n');
    assert.equal(pieces.length, 5);
    const lines = [...REPORT.slice(0, at), ...pieces.flatMap((piece) => [piece, NOISE[0]!]), ...REPORT.slice(at + 1)];
    const [whole] = read(REPORT);
    const [event, ...more] = read(lines);
    assert.deepEqual(more, []);
    assert.deepEqual(event!.context, whole!.context);
  });

  test('pieces that are too far apart are not put together', () => {
    const cut = context.indexOf(',cpuset=');
    const between = Array.from({ length: 33 }, () => NOISE[0]!);
    const [event] = read([...REPORT.slice(0, at), context.slice(0, cut), ...between, context.slice(cut)]);
    assert.deepEqual([event!.context?.constraint, event!.context?.cpuset], ['CONSTRAINT_NONE', null]);
  });

  test('a context line whose end is lost says what is there', () => {
    const begun = context.slice(0, context.indexOf(',global_oom'));
    const [event] = read([...REPORT.slice(0, at), begun, ...REPORT.slice(at + 1)]);
    assert.equal(event?.context?.constraint, 'CONSTRAINT_NONE');
    assert.equal(event?.context?.cpuset, '/');
    assert.equal(event?.context?.task, null);
    assert.equal(event?.killed?.pid, 501);
  });

  test('an invocation printed in pieces', () => {
    const pieces = [
      'httpd invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), nodemask=',
      NOISE[0]!,
      '(null)',
      ',  order=0, oom_score_adj=5',
    ];
    const [event] = read([...pieces, ...SAMPLES[9]!.lines.slice(1)]);
    assert.equal(event?.invoker?.oomScoreAdj, 5);
    assert.equal(event?.invoker?.nodemask, null);
    assert.equal(event?.killed?.pid, 501);
  });

  test('the line about the limit printed in pieces', () => {
    const { lines } = SAMPLES[8]!;
    const at = lines.findIndex((line) => line.startsWith('Task in '));
    const pieces = ['Task in ', '/lxc/foo', NOISE[1]!, ' killed as a result of limit of ', '/lxc'];
    const [event] = read([...lines.slice(0, at), ...pieces, ...lines.slice(at + 1)]);
    assert.deepEqual(event?.limit, { taskMemcg: '/lxc/foo', oomMemcg: '/lxc' });
  });

  test('a name with a line end in it, escaped, raw, and in JSON', () => {
    const victim = { ...HOG, comm: 'a\nb) [c' };
    const lines = reportLines({ era: '6.8', tasks: [victim, SSHD], victim, totalPages: 100_000 });
    for (const name of ['nothing before it', 'dmesg', '/dev/kmsg', 'syslog', 'journalctl -o json']) {
      const [event, ...more] = read(lines.map(DRESSES[name]!));
      assert.deepEqual(more, [], name);
      assert.equal(event!.killed?.comm, 'a\nb) [c', name);
      assert.equal(event!.context?.task?.comm, 'a\nb) [c', name);
      assert.equal(event!.rows.length, 2, name);
    }
    const [whole] = read(lines.map(DRESSES['/dev/kmsg']!));
    assert.equal(whole!.rows[0]!.comm, 'a\nb) [c');
  });

  test('the statistics of a cgroup as one record of many lines, and only those of the first', () => {
    const stats = [
      'Memory cgroup stats for /a:',
      'anon 4096\nfile 8192',
      'Memory cgroup stats for /a/b:',
      'anon 1\nshmem 2',
    ];
    for (const name of ['/dev/kmsg', 'dmesg', 'journalctl -o json']) {
      const [event] = read([REPORT[0]!, ...stats, ...REPORT.slice(-2)].map(DRESSES[name]!));
      assert.deepEqual([event!.cgroup.path, event!.cgroup.stats], ['/a', { anon: 4096, file: 8192 }], name);
    }
  });

  test('the state of memory as one record of many lines', () => {
    const summary = 'active_anon:221 inactive_anon:14331\n active_file:18099\n free:427891 free_pcp:153';
    for (const name of ['/dev/kmsg', 'dmesg', 'journalctl -o json']) {
      const [event] = read([REPORT[0]!, summary, ...REPORT.slice(-2)].map(DRESSES[name]!));
      assert.deepEqual(
        event!.memory.counters,
        { active_anon: 221, inactive_anon: 14331, active_file: 18099, free: 427891, free_pcp: 153 },
        name,
      );
    }
  });
});
