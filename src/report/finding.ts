/** Stage: bytes → table. What a kernel's message means to a reader of OOM reports, by itself. */
import {
  type CgroupLine,
  type Context,
  isContext,
  isUnfinishedCgroupLine,
  isWholeContext,
  parseCgroupLine,
  parseContext,
} from './context.js';
import {
  type CpuLine,
  type Invoker,
  isUnfinishedInvocation,
  parseBootLine,
  parseCpuLine,
  parseInvocation,
} from './invocation.js';
import { type KillLine, type Named, parseKillLine, parseReaperLine, type Reaped } from './kill-lines.js';
import { parseTableHeader, type TableHeader } from './table.js';

export type Finding =
  | { kind: 'invocation'; invoker: Invoker }
  | { kind: 'cpu'; cpu: CpuLine }
  | { kind: 'boot'; release: string }
  | { kind: 'context'; context: Context }
  | { kind: 'header'; header: TableHeader }
  | { kind: 'tasks-follow' }
  | { kind: 'reaped'; reaped: Reaped }
  | { kind: 'unreaped'; victim: Named }
  | { kind: 'no-victim'; words: string }
  | { kind: 'panic'; words: string }
  | { kind: 'remark'; words: string }
  | { kind: 'suppressed'; count: number }
  /** Says nothing until the rest of it has come. */
  | { kind: 'unfinished' }
  | Exclude<KillLine, { kind: 'unfinished' }>
  | CgroupLine;

/** What a kernel prints is shorter; patterns need not look at more. */
export const MESSAGE_MAX = 16_384;
/** `Task in ` is the shortest piece that says something. */
const MESSAGE_MIN = 8;

const NO_VICTIM = ['Out of memory and no killable processes', 'Memory cgroup out of memory and no killable processes'];
const NO_VICTIM_BY_HAND = 'OOM request ignored. No task eligible';
const PANIC = 'Kernel panic - not syncing: ';
const ABOUT_MEMORY = /^(?:out of memory|system is deadlocked on memory)/i;
const SUPPRESSED =
  /^(?:oom_kill_process|dump_header|out_of_memory|mem_cgroup_out_of_memory|__oom_kill_process): (\d{1,9}) callbacks suppressed$/;
const REMARKS = ['tried to kill init!', 'tried to kill an mm-less task!', 'oom killer '];

function parseWords(text: string): Finding | null {
  if (NO_VICTIM.some((words) => text.startsWith(words))) return { kind: 'no-victim', words: text };
  if (text.includes(NO_VICTIM_BY_HAND)) return { kind: 'no-victim', words: NO_VICTIM_BY_HAND };
  if (text.startsWith(PANIC) && ABOUT_MEMORY.test(text.slice(PANIC.length))) {
    return { kind: 'panic', words: text.slice(PANIC.length) };
  }
  const suppressed = SUPPRESSED.exec(text);
  if (suppressed) return { kind: 'suppressed', count: Number(suppressed[1]) };
  const remark = REMARKS.some((words) => text.startsWith(words)) && (text.endsWith('!') || text.includes('pinned by'));
  return remark ? { kind: 'remark', words: text } : null;
}

function parseReport(text: string): Finding | null {
  const invoker = parseInvocation(text);
  if (invoker) return isUnfinishedInvocation(text) ? { kind: 'unfinished' } : { kind: 'invocation', invoker };
  if (isContext(text)) {
    const context = isWholeContext(text) ? parseContext(text) : null;
    return context ? { kind: 'context', context } : { kind: 'unfinished' };
  }
  const header = parseTableHeader(text);
  if (header) return { kind: 'header', header };
  if (text.startsWith('Tasks state (memory values in pages)')) return { kind: 'tasks-follow' };
  if (isUnfinishedCgroupLine(text)) return { kind: 'unfinished' };
  return parseCgroupLine(text);
}

/** What a message says, or null when it is about something else. Rows and the state of memory depend on what came before. */
export function findingOf(text: string): Finding | null {
  if (text.length < MESSAGE_MIN || text.length > MESSAGE_MAX) return null;
  const report = parseReport(text);
  if (report) return report;
  const kill = parseKillLine(text);
  if (kill) return kill;
  const reaper = parseReaperLine(text);
  if (reaper) return reaper;
  const words = parseWords(text);
  if (words) return words;
  const cpu = parseCpuLine(text);
  if (cpu) return { kind: 'cpu', cpu };
  const release = parseBootLine(text);
  return release === null ? null : { kind: 'boot', release };
}

const TRACES = [
  'invoked oom-killer',
  'Killed process ',
  'Kill process ',
  'oom-kill:',
  'oom_reaper: ',
  'ut of memory: ',
];

/** Whether a message that says nothing to us has words of an OOM report: damaged, or of a kernel we do not know. */
export function looksLikeReport(text: string): boolean {
  return TRACES.some((words) => text.includes(words));
}
