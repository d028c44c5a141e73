// Kernel logs as tests need them: whole reports in the words of each era, and the dresses that a log can wear.

import { readFileSync } from 'node:fs';
import type { TaskRecord } from '../../reference/table.js';

/** What a sample of the vector file says of itself. */
export interface Sample {
  kernel: string;
  lines: string[];
  expect: Record<string, unknown>;
}

export const SAMPLES = (JSON.parse(readFileSync('tests/vectors/oomlog-samples.json', 'utf8')) as { samples: Sample[] })
  .samples;

export const KMSG_FILE = 'tests/vectors/kmsg-6.18-memcg.txt';

/** The bytes of a text in which lone surrogates stand for bytes that are not UTF-8. */
export function bytesOf(text: string): Buffer {
  const bytes = [...text].map((character) => {
    const code = character.charCodeAt(0);
    const escaped = character.length === 1 && code >= 0xdc80 && code <= 0xdcff;
    return escaped ? Buffer.from([code - 0xdc00]) : Buffer.from(character);
  });
  return Buffer.concat(bytes);
}

/** As /dev/kmsg writes a message: what is not printable ASCII, and backslashes, in hexadecimal. */
export function kmsgEscaped(text: string): string {
  return [...bytesOf(text)]
    .map((byte) => {
      const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c;
      return plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}

/** One message in a log's dress. `at` counts the lines. */
export type Dress = (text: string, at: number) => string;

const seconds = (at: number) => `1445.${String(780_000 + at).padStart(6, '0')}`;
const clock = (at: number) => `10:40:${String(at % 60).padStart(2, '0')}`;

/** A line of `journalctl -o json`. */
export function journalEntry(fields: Record<string, unknown>): string {
  return JSON.stringify({ __CURSOR: 's=1', __REALTIME_TIMESTAMP: '1700474401000000', ...fields });
}

/** Every dress that a line of one message can wear. */
export const DRESSES: Record<string, Dress> = {
  'nothing before it': (text) => text,
  dmesg: (text, at) => `[ ${seconds(at)}] ${text}`,
  'dmesg, narrow': (text, at) => `[    0.${String(at).padStart(6, '0')}] ${text}`,
  'dmesg, wide': (text, at) => `[1234567.${String(at).padStart(6, '0')}] ${text}`,
  'dmesg -r': (text, at) => `<4>[ ${seconds(at)}] ${text}`,
  'dmesg -x': (text, at) => `kern  :warn  : [ ${seconds(at)}] ${text}`,
  'dmesg -d': (text, at) => `[ ${seconds(at)} <    0.000003>] ${text}`,
  'dmesg -T': (text, at) => `[Mon Nov 20 ${clock(at)} 2023] ${text}`,
  'dmesg -T, in German': (text, at) => `[Mo Nov 20 ${clock(at)} 2023] ${text}`,
  'dmesg -e': (text) => `[Nov20 10:40] ${text}`,
  'dmesg -e, later': (text) => `[  +0.000003] ${text}`,
  'dmesg --time-format=iso': (text) => `2023-11-20T10:40:01,123456+01:00 ${text}`,
  'printed by a thread': (text, at) => `[ ${seconds(at)}][ T1234] ${text}`,
  'printed by a CPU': (text, at) => `[ ${seconds(at)}][    C0] ${text}`,
  'level alone': (text) => `<4>${text}`,
  '/dev/kmsg': (text, at) => `4,${6351 + at},${1445780654 + at},-;${kmsgEscaped(text)}`,
  '/dev/kmsg with a caller': (text, at) => `4,${6351 + at},${1445780654 + at},-,caller=T1234;${kmsgEscaped(text)}`,
  '/dev/kmsg with a dictionary': (text, at) =>
    `4,${6351 + at},${1445780654 + at},-;${kmsgEscaped(text)}\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:00.0`,
  syslog: (text, at) => `Nov 20 ${clock(at)} host kernel: ${text}`,
  'syslog with times': (text, at) => `Nov 20 ${clock(at)} host kernel: [ ${seconds(at)}] ${text}`,
  'syslog, first of the month': (text, at) => `Nov  1 ${clock(at)} web-01.example.org kernel: ${text}`,
  'syslog, ISO': (text, at) => `2023-11-20T${clock(at)}.123456+01:00 host kernel: [ ${seconds(at)}] ${text}`,
  'syslog without a host': (text, at) => `Nov 20 ${clock(at)} kernel: ${text}`,
  'syslog, RFC 5424': (text, at) =>
    `<4>1 2023-11-20T${clock(at)}.123456+01:00 web-01.example.org kernel - - - [ ${seconds(at)}] ${text}`,
  'syslog, RFC 5424, with data': (text, at) =>
    `<4>1 2023-11-20T${clock(at)}Z host kernel - x@1 [a@1 b="c"][timeQuality tzKnown="1"] ${text}`,
  'OpenWrt logread': (text, at) => `Mon Nov 20 ${clock(at)} 2023 kern.warn kernel: [ ${seconds(at)}] ${text}`,
  'journalctl -o short-precise': (text, at) => `Nov 20 ${clock(at)}.123456 host kernel: ${text}`,
  'journalctl -o short-iso': (text, at) => `2023-11-20T${clock(at)}+0100 host kernel: ${text}`,
  'journalctl -o short-full': (text, at) => `Mon 2023-11-20 ${clock(at)} CET host kernel: ${text}`,
  'journalctl -o short-unix': (text, at) => `1700474401.${String(at).padStart(6, '0')} host kernel: ${text}`,
  'journalctl -o short-monotonic': (text, at) => `[ ${seconds(at)}] host kernel: ${text}`,
  'journalctl -o json': (text) => journalEntry({ _TRANSPORT: 'kernel', SYSLOG_FACILITY: '0', MESSAGE: text }),
  'journalctl -o json, bytes': (text) => journalEntry({ _TRANSPORT: 'kernel', MESSAGE: [...bytesOf(text)] }),
  'quoted in a mail': (text, at) => `> > [ ${seconds(at)}] ${text}`,
  'indented, with carriage returns': (text, at) => `    [ ${seconds(at)}] ${text}\r`,
};

/** Eras that print tables, by the first series of each. */
export type TableEra = '2.6.32' | '2.6.36' | '3.7' | '4.0' | '4.15' | '4.19' | '6.8';

const HEADERS: Record<TableEra, string> = {
  '2.6.32': '[ pid ]   uid  tgid total_vm      rss cpu oom_adj name',
  '2.6.36': '[ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name',
  '3.7': '[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name',
  '4.0': '[ pid ]   uid  tgid total_vm      rss nr_ptes nr_pmds swapents oom_score_adj name',
  '4.15': '[ pid ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name',
  '4.19': '[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name',
  '6.8':
    '[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name',
};

const pad = (value: number, width: number) => String(value).padStart(width);

function row(era: TableEra, task: TaskRecord): string {
  const { tgid, uid = 0, total_vm_pages = 0, rss_pages = 0, swap_pages = 0, pgtables_bytes = 0, comm = '' } = task;
  const wide = era === '4.19' || era === '6.8';
  const ids = `[${pad(tgid, wide ? 7 : 5)}] ${pad(uid, 5)} ${pad(tgid, 5)}`;
  const begin = `${ids} ${pad(total_vm_pages, 8)} ${pad(rss_pages, 8)}`;
  const adj = pad(task.oom_score_adj ?? 0, 5);
  const tables = pgtables_bytes / 4096;
  const ends: Record<TableEra, string> = {
    '2.6.32': `${pad(0, 3)}     ${pad(task.oom_adj ?? 0, 3)} ${comm}`,
    '2.6.36': `${pad(0, 3)}     ${pad(task.oom_adj ?? 0, 3)}         ${adj} ${comm}`,
    '3.7': `${pad(tables, 7)} ${pad(swap_pages, 8)}         ${adj} ${comm}`,
    '4.0': `${pad(Math.floor(tables / 2), 7)} ${pad(Math.ceil(tables / 2), 7)} ${pad(swap_pages, 8)}         ${adj} ${comm}`,
    '4.15': `${pad(pgtables_bytes, 8)} ${pad(swap_pages, 8)}         ${adj} ${comm}`,
    '4.19': `${pad(pgtables_bytes, 8)} ${pad(swap_pages, 8)}         ${adj} ${comm}`,
    '6.8': `${pad(rss_pages, 8)} ${pad(0, 8)} ${pad(0, 9)} ${pad(pgtables_bytes, 8)} ${pad(swap_pages, 8)}         ${adj} ${comm}`,
  };
  return `${begin} ${ends[era]}`;
}

const INVOCATIONS: Record<TableEra, string> = {
  '2.6.32': 'gfp_mask=0x280da, order=0, oom_adj=0',
  '2.6.36': 'gfp_mask=0x280da, order=0, oom_adj=0, oom_score_adj=0',
  '3.7': 'gfp_mask=0xd0, order=0, oom_score_adj=0',
  '4.0': 'gfp_mask=0xd0, order=0, oom_score_adj=0',
  '4.15': 'gfp_mask=0x14200ca(GFP_HIGHUSER_MOVABLE), nodemask=(null),  order=0, oom_score_adj=0',
  '4.19': 'gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0',
  '6.8': 'gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0',
};

function killLines(era: TableEra, { tgid, comm, uid = 0, ...victim }: TaskRecord): string[] {
  const kb = (pages: number | undefined) => (pages ?? 0) * 4;
  const sizes = `total-vm:${kb(victim.total_vm_pages)}kB, anon-rss:${kb(victim.rss_pages)}kB, file-rss:0kB`;
  if (era === '2.6.32') {
    return [`Out of memory: kill process ${tgid} (${comm}) score 1 or a child`, `Killed process ${tgid} (${comm})`];
  }
  const selection = `Out of memory: Kill process ${tgid} (${comm}) score 1 or sacrifice child`;
  if (era === '2.6.36' || era === '3.7') return [selection, `Killed process ${tgid} (${comm}) ${sizes}`];
  if (era === '4.0') return [selection, `Killed process ${tgid} (${comm}) ${sizes}`];
  if (era === '4.15') return [selection, `Killed process ${tgid} (${comm}) ${sizes}, shmem-rss:0kB`];
  const tables = Math.floor((victim.pgtables_bytes ?? 0) / 1024);
  const context = `oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=${comm},pid=${tgid},uid=${uid}`;
  const end = `, shmem-rss:0kB, UID:${uid} pgtables:${tables}kB oom_score_adj:${victim.oom_score_adj ?? 0}`;
  return [context, `Out of memory: Killed process ${tgid} (${comm}) ${sizes}${end}`];
}

export interface ReportOptions {
  era: TableEra;
  tasks: readonly TaskRecord[];
  victim: TaskRecord;
  totalPages: number;
  /** Release that a line names; none when absent. */
  release?: string;
  invoker?: string;
}

/** The messages of a whole report, as that era prints it. */
export function reportLines({ era, tasks, victim, totalPages, release, invoker = 'httpd' }: ReportOptions): string[] {
  return [
    `${invoker} invoked oom-killer: ${INVOCATIONS[era]}`,
    ...(release === undefined ? [] : [`CPU: 0 PID: 7 Comm: ${invoker} Not tainted ${release} #1`]),
    'Call Trace:',
    ' dump_header+0x4f/0x1f9',
    'Mem-Info:',
    'active_anon:221 inactive_anon:14331 isolated_anon:0',
    'Node 0 DMA free:15036kB min:352kB low:440kB high:528kB active_anon:0kB',
    'Free swap  = 0kB',
    'Total swap = 0kB',
    `${totalPages} pages RAM`,
    '0 pages reserved',
    ...(era === '4.19' || era === '6.8' ? ['Tasks state (memory values in pages):'] : []),
    HEADERS[era],
    ...tasks.map((task) => row(era, task)),
    ...killLines(era, victim),
  ];
}
