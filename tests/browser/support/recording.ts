// A recording of a machine with three tasks: at first a server is the largest, ten seconds later a hog is.
import { type Entry, RecordingWriter, SNAPSHOT_FACTS_DEFAULT } from '../../../src/recording/index.js';

const PAGES = 1000;

function stat(pid: number, comm: string, rss: number): string {
  const zeros = (count: number) => Array(count).fill('0').join(' ');
  // Fields 3 … 52 of proc_pid_stat(5): state, ppid, pgrp, session, …, utime 14, nice 19, threads 20, start 22, vsize 23, rss 24.
  return `${pid} (${comm}) S 1 ${pid} ${pid} ${zeros(7)} 100 0 0 0 20 0 1 0 5000 ${rss * 4096 * 2} ${rss} ${zeros(28)}\n`;
}

function status(pid: number, comm: string, rss: number): string {
  const lines = [
    `Name:\t${comm}`,
    ...[`Tgid:\t${pid}`, `Pid:\t${pid}`, 'PPid:\t1', 'Uid:\t1000\t1000\t1000\t1000', 'Gid:\t1000\t1000\t1000\t1000'],
    ...[
      `VmSize:\t${rss * 8} kB`,
      `VmRSS:\t${rss * 4} kB`,
      `RssAnon:\t${rss * 4} kB`,
      'RssFile:\t0 kB',
      'RssShmem:\t0 kB',
    ],
    ...['VmPTE:\t64 kB', 'VmSwap:\t0 kB', 'Threads:\t1', 'CapEff:\t0000000000000000'],
  ];
  return `${lines.join('\n')}\n`;
}

function entriesOf(hogPages: number): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  const file = (path: string, bytes: string) => entries.set(path, { kind: 'file', bytes });
  file('/proc/uptime', '1000000.00 2000000.00\n');
  const meminfo = [
    ['MemTotal', 4_000_000],
    ['MemFree', 1_000_000],
    ['MemAvailable', 2_000_000 - hogPages * 4],
  ] as const;
  const other = ['Cached', 'SwapTotal', 'SwapFree', 'AnonPages', 'Shmem', 'SReclaimable', 'Hugetlb'].map(
    (key) => [key, 0] as const,
  );
  file(
    '/proc/meminfo',
    [...meminfo, ...other]
      .map(
        ([key, kib]) => `${key}: ${kib} kB
`,
      )
      .join(''),
  );
  const tasks: [pid: number, comm: string, rss: number][] = [
    [800, 'server', 50 * PAGES],
    [900, 'hog', hogPages],
    [901, '<b>&amp;', 10],
  ];
  for (const [pid, comm, rss] of tasks) {
    file(`/proc/${pid}/stat`, stat(pid, comm, rss));
    file(`/proc/${pid}/status`, status(pid, comm, rss));
    file(`/proc/${pid}/oom_score_adj`, '0\n');
    entries.set(`/proc/${pid}/exe`, { kind: 'link', target: `/usr/bin/${comm}` });
  }
  return entries;
}

/** The text of the recording, with a policy file if there is one. */
export function recordingText(policy: string | null = null): string {
  const writer = new RecordingWriter();
  const head = writer.head({ policy, users: new Map([['build', 1000]]) });
  const snapshots = [PAGES, 400 * PAGES].map((hogPages, index) => {
    const clocks = { monotonicMs: 1e9 + index * 10_000, bootMs: 1e9 + index * 10_000, wallMs: Number.NaN };
    return writer.snapshot({
      ...clocks,
      entries: entriesOf(hogPages),
      owners: new Map(),
      facts: SNAPSHOT_FACTS_DEFAULT,
    });
  });
  return [head, ...snapshots, writer.tail()].join('');
}
