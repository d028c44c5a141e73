/** Stage: bytes → table. Who ran out of memory, and asking for what: the first line of a report, of every kernel. */

/** Which keys an invocation line has; they changed with the kernels. */
export type InvocationForm = 'bare' | 'order' | 'oomkilladj' | 'oom_adj' | 'both' | 'score' | 'flags' | 'nodemask';

/** Whose allocation could not be served, as the first line of a report says. */
export interface Invoker {
  /** Null before 2.6.19, where the line does not say. */
  comm: string | null;
  /** From the line about the CPU below it; null where there is none. */
  pid: number | null;
  /** Hexadecimal text, as printed. */
  gfpMask: string;
  /** `GFP_KERNEL|__GFP_COMP`; null before 4.6. */
  gfpFlags: string | null;
  /** The allocation was of 2^order pages; −1 when somebody asked for a kill by hand (SysRq f). */
  order: number | null;
  /** Memory nodes of the allocation; null when any, or not said. */
  nodemask: string | null;
  oomAdj: number | null;
  oomScoreAdj: number | null;
  form: InvocationForm;
}

/** A comm has 15 bytes; what is longer is not the kernel's line. */
export const COMM_CHARACTERS_MAX = 15;

const MARK = 'oom-killer: gfp_mask=';
const INVOKED = ' invoked ';
const GFP = /(0x[0-9a-fA-F]{1,16}|0)(?:\(([^()]{0,1000})\))?/y;
const ORDER = /, {1,2}order=(-?\d{1,3})/;
const NODEMASK = /^, nodemask=(\(null\)|[0-9,-]{1,2000})?/;

function numberAfter(tail: string, key: string): number | null {
  const found = new RegExp(`, ${key}=(-?\\d{1,6})(?:[, ]|$)`).exec(tail);
  return found ? Number(found[1]) : null;
}

function formOf(tail: string, flags: boolean, adj: string | null, score: boolean): InvocationForm {
  if (tail.startsWith(', nodemask=')) return 'nodemask';
  if (flags) return 'flags';
  if (adj !== null) return score ? 'both' : adj === 'oomkilladj' ? 'oomkilladj' : 'oom_adj';
  if (score) return 'score';
  return ORDER.test(tail) ? 'order' : 'bare';
}

/** Whether a line begins an invocation that was printed in pieces (4.9 … 4.20) and interrupted. */
export function isUnfinishedInvocation(text: string): boolean {
  return text.includes(MARK) && text.includes('), nodemask=') && !ORDER.test(text);
}

/** The invocation that a line is, or null. */
export function parseInvocation(text: string): Invoker | null {
  // The comm may hold the mark's words, but it is too short to hold the mark.
  const mark = text.lastIndexOf(MARK);
  if (mark < 0) return null;
  let comm: string | null = null;
  if (mark > 0) {
    const end = mark - INVOKED.length;
    if (end < 0 || !text.startsWith(INVOKED, end)) return null;
    comm = text.slice(0, end);
    if (comm.length > COMM_CHARACTERS_MAX) return null;
  }
  GFP.lastIndex = mark + MARK.length;
  const gfp = GFP.exec(text);
  if (!gfp) return null;
  const tail = text.slice(GFP.lastIndex);
  const killAdj = numberAfter(tail, 'oomkilladj');
  const adj = killAdj ?? numberAfter(tail, 'oom_adj');
  const score = numberAfter(tail, 'oom_score_adj');
  const order = ORDER.exec(tail);
  const nodes = NODEMASK.exec(tail)?.[1] ?? null;
  const adjKey = killAdj !== null ? 'oomkilladj' : adj !== null ? 'oom_adj' : null;
  return {
    comm,
    pid: null,
    gfpMask: gfp[1]!,
    gfpFlags: gfp[2] ?? null,
    order: order ? Number(order[1]) : null,
    nodemask: nodes === '(null)' ? null : nodes,
    oomAdj: adj,
    oomScoreAdj: score,
    form: formOf(tail, gfp[2] !== undefined, adjKey, score !== null),
  };
}

export interface CpuLine {
  pid: number | null;
  /** Release of the kernel: `6.18.44`, `5.4.0-42-generic`. */
  release: string;
}

const PID = /\bPID: (\d{1,10}) Comm: |^Pid: (\d{1,10}), comm: /i;
const RELEASE = /^ainted(?::[A-Z ]{1,80}| )(\d{1,3}\.\d{1,4}[^ ]{0,80})/;

/** `CPU: 1 PID: 22179 Comm: hog Not tainted 6.18.44 #1`: the process, and the kernel. Null for any other line. */
export function parseCpuLine(text: string): CpuLine | null {
  const pid = PID.exec(text);
  if (!pid) return null;
  // A comm may say what it likes about the kernel; the kernel says it after the comm.
  const release = RELEASE.exec(text.slice(text.lastIndexOf('ainted')));
  return release ? { pid: Number(pid[1] ?? pid[2]), release: release[1]! } : null;
}

const BOOT = /^Linux version (\d{1,3}\.\d{1,4}[^ ]{0,80}) /;

/** The kernel that boots, or null. */
export function parseBootLine(text: string): string | null {
  return BOOT.exec(text)?.[1] ?? null;
}
