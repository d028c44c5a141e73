// Stage: kill. In: one line of /proc/PID/stat. Out: the few fields the killer needs (the engine has its own, full parser).

/** Fields of /proc/PID/stat (proc_pid_stat(5)) the killer reads. */
export interface TaskStat {
  readonly comm: string;
  /** One letter: R S D T t Z X I. */
  readonly state: string;
  readonly ppid: number;
  /** Number of its process group and of its session: the pid of whoever made them; 0 when that is of another pid namespace. */
  readonly pgrp: number;
  readonly sid: number;
  /** Live threads of the group; a leader that is Z counts, so 1 beside Z means that the whole group is dead. 0 once it is being reaped. */
  readonly numThreads: number;
  readonly kernelThread: boolean;
  readonly vsizeBytes: number;
  /** 1/100 s since boot. */
  readonly startTicks: number;
}

const PF_KTHREAD = 0x0020_0000; // include/linux/sched.h

/**
 * `1234 (a b) c) S 1 1234 1234 0 -1 4194304 …`: comm ends at the last `)`, whatever it contains.
 * Null when the text is not such a line.
 */
export function parseTaskStat(text: string): TaskStat | null {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return null;
  const fields = text.slice(close + 2).split(' ');
  // Numbered as in the manual page, where state is field 3.
  const field = (number: number): number => (fields[number - 3] ? Number(fields[number - 3]) : Number.NaN);
  const flags = field(9);
  const stat = {
    comm: text.slice(open + 1, close),
    state: fields[0] ?? '',
    ppid: field(4),
    pgrp: field(5),
    sid: field(6),
    numThreads: field(20),
    kernelThread: Math.floor(flags / PF_KTHREAD) % 2 === 1,
    vsizeBytes: field(23),
    startTicks: field(22),
  };
  const numbers = [stat.ppid, stat.pgrp, stat.sid, flags, stat.numThreads, stat.vsizeBytes, stat.startTicks];
  return /^[A-Za-z]$/.test(stat.state) && numbers.every(Number.isFinite) ? stat : null;
}

/** Dead as far as its memory goes: exit_mm() comes before the state Z or X. */
export function isDead(state: string): boolean {
  return state === 'Z' || state === 'X' || state === 'x';
}

/**
 * A mark of the program a task runs: its code and stack addresses (fields 26 and 28), drawn anew by every execve and the same in all
 * tasks of one mm. Null where the kernel hides them (no ptrace access) and in a task without an mm.
 */
export function imageMark(text: string): string | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [code, stack] = [fields[23], fields[25]];
  return code && stack && stack !== '0' ? `${code} ${stack}` : null;
}
