/** Stage: bytes → table. What was short of memory: the context line of 5.0 and later, and the lines about cgroups. */

export interface Context {
  /** `CONSTRAINT_NONE`, `CONSTRAINT_CPUSET`, `CONSTRAINT_MEMORY_POLICY` or `CONSTRAINT_MEMCG`. */
  constraint: string;
  nodemask: string | null;
  cpuset: string | null;
  /** Memory nodes, `0-1`. */
  memsAllowed: string | null;
  /** Whether the whole machine was short; null when the line broke off before it. */
  global: boolean | null;
  /** The cgroup whose limit was hit. */
  oomMemcg: string | null;
  /** The cgroup of the task chosen. */
  taskMemcg: string | null;
  task: { pid: number; comm: string; uid: number } | null;
  /** Whether a path holds the words that end a path, so that it may have been cut at the wrong ones. */
  ambiguous: boolean;
}

const START = /^oom-kill:constraint=([A-Z_]{1,40})/;
/** Logs that went through an editor can have blanks at the end of a line. */
const END = /,pid=(\d{1,10}),uid=(-?\d{1,10}) {0,8}$/;
const MEMS = /,mems_allowed=([0-9,-]{0,2000}),(?=oom_memcg=|global_oom)/;
const U32 = 2 ** 32;

export function isContext(text: string): boolean {
  return text.startsWith('oom-kill:constraint=');
}

/** Whether the line has its end: the kernel prints it in pieces, which others can come between. */
export function isWholeContext(text: string): boolean {
  return END.test(text);
}

/** Whether a line is a later piece of one that begins as `begun` does. */
export function continuesContext(text: string): boolean {
  return /^,(?:cpuset=|mems_allowed=|oom_memcg=|global_oom|task_memcg=)/.test(text) || END.test(text);
}

/** The task named at the end, and the text before it. The last `,task=` is the kernel's; a name can hold another. */
function cutTask(text: string): { head: string; task: Context['task'] } {
  const end = END.exec(text);
  const at = text.lastIndexOf(',task=');
  if (!end || at < 0) return { head: text, task: null };
  const comm = text.slice(at + ',task='.length, end.index);
  return { head: text.slice(0, at), task: { pid: Number(end[1]), comm, uid: (Number(end[2]) + U32) % U32 } };
}

/** The part of `text` after `key`, up to the end. */
function after(text: string, key: string): string | null {
  const at = text.lastIndexOf(key);
  return at < 0 ? null : text.slice(at + key.length);
}

function nodes(text: string | undefined): string | null {
  return text === undefined || text === '(null)' ? null : text;
}

/** The cgroups at the end of the line: `,oom_memcg=A,task_memcg=B` or `,global_oom,task_memcg=B`. */
function parseCgroups(text: string): Pick<Context, 'global' | 'oomMemcg' | 'taskMemcg' | 'ambiguous'> {
  const key = ',task_memcg=';
  const taskMemcg = after(text, key);
  const ambiguous = text.indexOf(key) !== text.lastIndexOf(key);
  const before = taskMemcg === null ? text : text.slice(0, text.lastIndexOf(key));
  if (before.startsWith('oom_memcg=')) {
    return { global: false, oomMemcg: before.slice('oom_memcg='.length), taskMemcg, ambiguous };
  }
  return { global: before.startsWith('global_oom') ? true : null, oomMemcg: null, taskMemcg, ambiguous };
}

/** What a context line says, as far as it goes. Null for any other line. */
export function parseContext(text: string): Context | null {
  const start = START.exec(text);
  if (!start) return null;
  const { head, task } = cutTask(text);
  const rest = head.slice(start[0].length);
  const cpusetKey = ',cpuset=';
  const cpusetAt = rest.indexOf(cpusetKey);
  const nodemask = (cpusetAt < 0 ? rest : rest.slice(0, cpusetAt)).replace(/^,nodemask=/, '');
  const paths = cpusetAt < 0 ? '' : rest.slice(cpusetAt + cpusetKey.length);
  const mems = MEMS.exec(paths);
  const cgroups = mems
    ? parseCgroups(paths.slice(mems.index + mems[0].length))
    : { global: null, oomMemcg: null, taskMemcg: null, ambiguous: false };
  return {
    constraint: start[1]!,
    nodemask: nodes(nodemask || undefined),
    cpuset: cpusetAt < 0 ? null : mems ? paths.slice(0, mems.index) : paths.split(',mems_allowed=')[0]!,
    memsAllowed: mems ? nodes(mems[1]) : null,
    ...cgroups,
    task,
  };
}

export type CgroupLine =
  | { kind: 'limit'; taskMemcg: string | null; oomMemcg: string }
  | { kind: 'group'; path: string };

const LIMIT = ' killed as a result of limit of ';
const GROUP_END = ' are going to be killed due to memory.oom.group set';

/** Whether a line begins one about cgroups that was printed in pieces. */
export function isUnfinishedCgroupLine(text: string): boolean {
  return (text.startsWith('Task in ') || /^Tasks in (?:\/|$)/.test(text)) && parseCgroupLine(text) === null;
}

export function continuesCgroupLine(text: string): boolean {
  return text.startsWith('/') || text.startsWith(' killed as a result') || text.startsWith(' are going to be killed');
}

/** Which cgroup hit its limit (before 5.0), or which is killed whole. Null for any other line. */
export function parseCgroupLine(text: string): CgroupLine | null {
  if (text.startsWith('Task in ')) {
    const at = text.lastIndexOf(LIMIT);
    const oomMemcg = at < 0 ? '' : text.slice(at + LIMIT.length);
    return oomMemcg === '' ? null : { kind: 'limit', taskMemcg: text.slice('Task in '.length, at), oomMemcg };
  }
  const reached = 'Memory limit reached of cgroup ';
  if (text.startsWith(reached)) return { kind: 'limit', taskMemcg: null, oomMemcg: text.slice(reached.length) };
  const end = text.startsWith('Tasks in ') ? text.lastIndexOf(GROUP_END) : -1;
  return end < 0 ? null : { kind: 'group', path: text.slice('Tasks in '.length, end) };
}
