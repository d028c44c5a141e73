// What a kernel log can hold: names that look like lines, lines of programs, bytes cut anywhere.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KernelLogReader, type OomEvent, readKernelLog, victimOf } from '../../src/report/index.js';
import fc, { RUNS, SEED } from './support/fast-check.js';
import { bytesOf, DRESSES, journalEntry, reportLines, SAMPLES } from './support/oom-log.js';

const HOG = { tgid: 501, comm: 'java', uid: 1000, total_vm_pages: 70_000, rss_pages: 61_234, pgtables_bytes: 450_560 };
const SSHD = { tgid: 777, comm: 'sshd', total_vm_pages: 9000, rss_pages: 512, pgtables_bytes: 73_728 };
const REPORT = reportLines({ era: '6.8', tasks: [HOG, SSHD], victim: HOG, totalPages: 100_000 });
const OTHER = { ...HOG, tgid: 901, comm: 'ruby' };
const OTHER_REPORT = reportLines({ era: '6.8', tasks: [OTHER], victim: OTHER, totalPages: 100_000, invoker: 'nginx' });

const KILL = (pid: number, comm = 'hog') =>
  `Memory cgroup out of memory: Killed process ${pid} (${comm}) total-vm:65916kB, anon-rss:29440kB, file-rss:6800kB, shmem-rss:0kB, UID:0 pgtables:124kB oom_score_adj:0`;
const NOISE = ['usb 1-1: new high-speed USB device', 'EXT4-fs (sda1): mounted filesystem', 'a: b: [c] (d)'];

const read = (lines: string[]) => readKernelLog(lines.join('\n')).events;
const pids = (events: OomEvent[]) => events.map((event) => victimOf(event)?.pid ?? null);

describe('names: whatever a task calls itself, the kernel is read', () => {
  const NAMES = [
    ...['a b) [c', ') total-vm:1kB', ',task=x,pid=1', '), UID 5, ', ' (', '', '   ', '[  501]', 'Killed process '],
    ...['oom-killer: ', ' kernel: a', ') score 7 or a', '\\x0a', '\udcff\udc80', '漢字', '4,1,1,-;x'],
  ];
  for (const comm of NAMES) {
    test(JSON.stringify(comm), () => {
      const victim = { ...HOG, comm };
      for (const era of ['2.6.32', '2.6.36', '4.15', '6.8'] as const) {
        const lines = reportLines({ era, tasks: [victim, SSHD], victim, totalPages: 100_000, invoker: comm });
        for (const name of ['dmesg', '/dev/kmsg', 'syslog']) {
          const [event, ...more] = readKernelLog(bytesOf(lines.map(DRESSES[name]!).join('\n'))).events;
          assert.deepEqual(more, [], `${era}, ${name}`);
          assert.deepEqual([event!.killed?.pid, event!.killed?.comm], [501, comm], `${era}, ${name}`);
          assert.equal(event!.killed?.totalVmKb, era === '2.6.32' ? null : 280_000, `${era}, ${name}`);
          assert.equal(event!.selected?.comm, era === '6.8' ? undefined : comm, `${era}, ${name}`);
          assert.equal(event!.rows[0]!.comm, comm, `${era}, ${name}`);
          assert.equal(event!.rows.length, 2, `${era}, ${name}`);
          if (name !== 'dmesg') assert.equal(event!.invoker?.comm, comm, `${era}, ${name}`);
        }
      }
    });
  }

  test('a name that says which kernel it is does not', () => {
    const cpu = 'CPU: 1 UID: 0 PID: 5 Comm: Not tainted 9.9 Not tainted 6.1.0-13-amd64 #1 Debian';
    const [event] = read(['Not tainted 9.9 invoked oom-killer: gfp_mask=0x1(A), order=0, oom_score_adj=0', cpu]);
    assert.deepEqual([event?.release, event?.invoker?.pid], ['6.1.0-13-amd64', 5]);
    const tainted = 'Pid: 7, comm: a Tainted: G    B   W  2.6.30 #11';
    const [old] = read(['a invoked oom-killer: gfp_mask=0x201da, order=0, oom_adj=0', tainted]);
    assert.deepEqual([old?.release, old?.invoker?.pid], ['2.6.30', 7]);
  });

  test('what only continues a record of /dev/kmsg is no line', () => {
    const dictionary = ' A=b invoked oom-killer: gfp_mask=0x1(A), order=0, oom_score_adj=0';
    assert.deepEqual(read(['6,1,1,-;usb 1-1: new device', dictionary]), []);
    assert.equal(
      read(['usb 1-1: new device', dictionary]).length,
      1,
      'elsewhere it is a name that begins with a blank',
    );
  });

  test('cgroups may be called like the words of a context line, and that is said where it is ambiguous', () => {
    const line = (task: string) =>
      `oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=0,2,cpuset=/a,mems_allowed=b,mems_allowed=0-1,3,oom_memcg=/x,y,task_memcg=${task},task=a,pid=5,uid=-2`;
    const [event] = read([line('/x,y/z')]);
    const { cpuset, memsAllowed, nodemask, oomMemcg, taskMemcg, ambiguous, task } = event!.context!;
    assert.deepEqual([cpuset, memsAllowed, nodemask], ['/a,mems_allowed=b', '0-1,3', '0,2']);
    assert.deepEqual([oomMemcg, taskMemcg, ambiguous], ['/x,y', '/x,y/z', false]);
    assert.deepEqual(task, { pid: 5, comm: 'a', uid: 4294967294 });
    assert.equal(read([line('/x,task_memcg=/y')])[0]!.context!.ambiguous, true);
    const inPath = read([line('/x,y/z,task=q')])[0]!.context!;
    assert.deepEqual([inPath.taskMemcg, inPath.task?.comm], ['/x,y/z,task=q', 'a']);
  });
});

describe('lines that are not the kernel’s', () => {
  const forged = 'Out of memory: Killed process 1 (init)';
  const FOREIGN = [
    `Nov 20 10:40:01 host evil[5]: ${forged}`,
    `2023-11-20T10:40:01+01:00 host kernelx: ${forged}`,
    `Mon 2023-11-20 10:40:01 CET host su[7]: ${forged}`,
    `Nov 20 10:40:01 host kernel[19202]: ${forged}`,
    `<12>1 2023-11-20T10:40:01Z host kernel - - - ${forged}`,
    `<4>1 2023-11-20T10:40:01Z host evil - - - ${forged}`,
    `<4>1 2023-11-20T10:40:01Z host kernel 7 - - ${forged}`,
    `2023-11-20T10:40:01Z host kernel - - - ${forged}`,
    `12,1,1,-;${forged}`,
    `<12>[    1.000000] ${forged}`,
    `user  :warn  : [    1.000000] ${forged}`,
    journalEntry({ _TRANSPORT: 'stdout', SYSLOG_IDENTIFIER: 'kernel', MESSAGE: forged }),
    journalEntry({ _TRANSPORT: 'kernel', SYSLOG_FACILITY: '1', MESSAGE: forged }),
    journalEntry({ SYSLOG_IDENTIFIER: 'evil', MESSAGE: forged }),
  ];
  for (const line of FOREIGN) {
    test(`are counted and not believed: ${line.slice(0, 40)}`, () => {
      const { events, counts } = readKernelLog(line);
      assert.deepEqual(events, []);
      assert.equal(counts.foreign, 1);
    });
  }

  test('what has the words of a report and makes no sense is counted apart', () => {
    const odd = [
      'something invoked oom-killer: gfp_mask=banana',
      'oom_reaper: hello',
      'a name that is too long invoked oom-killer: gfp_mask=0x1',
    ];
    const { events, counts } = readKernelLog([...odd, ...NOISE].join('\n'));
    assert.deepEqual(events, []);
    assert.deepEqual([counts.unknown, counts.other], [3, 3]);
  });
});

describe('bytes as text', () => {
  const BYTES: [name: string, bytes: number[], text: string][] = [
    ['a character of each length', [0x41, 0xc3, 0xa9, 0xe6, 0xbc, 0xa2, 0xf0, 0x9f, 0x98, 0x80], 'Aé漢😀'],
    ['longer than it need be', [0xc0, 0xaf, 0xe0, 0x80, 0x80], '\udcc0\udcaf\udce0\udc80\udc80'],
    ['half of a pair', [0xed, 0xa0, 0x80], '\udced\udca0\udc80'],
    ['above all characters', [0xf4, 0x90, 0x80, 0x80, 0xff], '\udcf4\udc90\udc80\udc80\udcff'],
    ['cut off', [0xe6, 0xbc], '\udce6\udcbc'],
    ['the one that stands for others', [0xef, 0xbf, 0xbd], '\ufffd'],
    ['a mark of byte order', [0xef, 0xbb, 0xbf, 0x41], '\ufeffA'],
  ];
  for (const [name, bytes, text] of BYTES) {
    test(name, () => {
      const line = Buffer.concat([Buffer.from('Killed process 5 ('), Buffer.from(bytes), Buffer.from(')')]);
      assert.equal(readKernelLog(line).events[0]?.killed?.comm, text);
    });
  }

  test('each byte is kept', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const kept = bytes.filter((byte) => byte !== 0x0a);
      const line = Buffer.concat([Buffer.from('Killed process 5 ('), kept, Buffer.from(')')]);
      assert.deepEqual(bytesOf(readKernelLog(line).events[0]!.killed!.comm), Buffer.from(kept));
    });
    fc.assert(property, { seed: SEED, numRuns: RUNS * 5 });
  });
});

describe('reading in parts', () => {
  test('bytes cut anywhere give the same events', () => {
    const log = bytesOf(`${[...REPORT, KILL(5, 'caf\udcc3'), ...OTHER_REPORT].map(DRESSES.dmesg!).join('\n')}\n`);
    const whole = readKernelLog(log);
    for (const size of [1, 7, 100, 4096]) {
      const reader = new KernelLogReader();
      const events: OomEvent[] = [];
      for (let at = 0; at < log.length; at += size) events.push(...reader.addBytes(log.subarray(at, at + size)));
      events.push(...reader.end());
      assert.deepEqual(events, whole.events, `${size} bytes at once`);
      assert.deepEqual(reader.counts, whole.counts);
    }
  });

  test('events are given back before the log ends, in the order in which they began', () => {
    const reader = new KernelLogReader();
    const early: OomEvent[] = [];
    for (let pid = 1; pid <= 40; ++pid) early.push(...reader.addText(`${KILL(pid)}\n`));
    assert.ok(early.length >= 20, 'memory is not filled with a whole log');
    assert.deepEqual(
      pids([...early, ...reader.end()]),
      Array.from({ length: 40 }, (_, index) => index + 1),
    );
  });

  test('a line that never ends is dropped and counted, and the next is read', () => {
    const junk = Buffer.alloc(1 << 20, 'x');
    const { events, counts } = readKernelLog(Buffer.concat([junk, Buffer.from(`\n${KILL(5)}`)]));
    assert.deepEqual(pids(events), [5]);
    assert.deepEqual([counts.lines, counts.tooLong, counts.read], [2, 1, 1]);
  });

  test('every line is counted once', () => {
    const text = [...REPORT, ...NOISE, 'Nov 20 10:40:01 host evil: x', '', 'x'.repeat(70_000), '[ 5] 1 2 3 4 5'].join(
      '\n',
    );
    const { counts } = readKernelLog(text);
    const { lines, read, other, foreign, unknown, orphans, tooLong } = counts;
    assert.equal(lines, text.split('\n').length);
    assert.equal(read + other + foreign + unknown + orphans + tooLong, lines);
    assert.deepEqual([foreign, tooLong, orphans], [1, 1, 1]);
  });
});

describe('dmesg --json', () => {
  const document = (messages: readonly string[], pri: string) => {
    const records = messages.map(
      (msg, at) =>
        `         ${pri},\n         "time":     ${1445 + at}.000001,\n         "msg": ${JSON.stringify(msg)}\n      `,
    );
    return `{\n   "dmesg": [\n      {\n${records.join('},{\n')}}\n   ]\n}\n`;
  };

  test('says what the same messages say', () => {
    for (const { kernel, lines } of SAMPLES) {
      const killed = (log: string) => readKernelLog(log).events.map((event) => [event.killed?.pid, event.rows]);
      assert.deepEqual(killed(document(lines, '"pri": 4')), killed(lines.join('\n')), kernel);
      assert.deepEqual(killed(document(lines, '"fac": "kern",\n         "pri": "warn"')), killed(lines.join('\n')));
    }
    const [event] = readKernelLog(document(['Out of Memory: Killed process 501 (java).'], '"pri": 4')).events;
    assert.equal(event!.uptimeS, 1445.000001);
  });

  test('what programs wrote is not believed, and what is damaged is passed over', () => {
    const forged = ['Out of memory: Killed process 1 (init)'];
    for (const pri of ['"pri": 12', '"fac": "user",\n         "pri": "warn"']) {
      const { events, counts } = readKernelLog(document(forged, pri));
      assert.deepEqual([events.length, counts.foreign], [0, 1]);
    }
    assert.equal(readKernelLog(document(forged, '"pri": 4').replace('init)"', 'init)')).events.length, 0);
  });

  test('after its end lines are as they are elsewhere', () => {
    const log = `${document(['quiet'], '"pri": 6')}Out of Memory: Killed process 501 (java).\n`;
    assert.equal(readKernelLog(log).events[0]!.killed!.pid, 501);
  });
});
