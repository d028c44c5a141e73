// Stage: kill. In: one line of /proc/PID/stat. Out: the few fields the killer needs (the engine has its own, full parser).

/** Fields of /proc/PID/stat (proc_pid_stat(5)) the killer reads. */
export interface TaskStat {
  readonly comm: string;
  /** One letter: R S D T t Z X I. */
  readonly state: string;
  readonly ppid: number;
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
  // Counted from field 3 (state) of the manual page: ppid is 4, flags 9, num_threads 20, start 22, vsize 23.
  const state = fields[0] ?? '';
  const numbers = [fields[1], fields[6], fields[17], fields[20], fields[19]].map((field) =>
    field ? Number(field) : Number.NaN,
  );
  if (!/^[A-Za-z]$/.test(state) || numbers.some((value) => !Number.isFinite(value))) return null;
  const [ppid, flags, numThreads, vsizeBytes, startTicks] = numbers as [number, number, number, number, number];
  return {
    comm: text.slice(open + 1, close),
    state,
    ppid,
    numThreads,
    kernelThread: Math.floor(flags / PF_KTHREAD) % 2 === 1,
    vsizeBytes,
    startTicks,
  };
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
