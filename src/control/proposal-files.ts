/** Stage: candidate queue, protected set. The files of the 2005 and 2006 proposals as resources, in the formats that those had. */
import { PID_MAX, USER_HZ } from '../../assembly/layout.js';
import { BadnessError } from '../errors.js';
import { monotonicMs } from '../linux/linux-world.js';
import { threadTimes } from '../linux/thread-times.js';
import { type Answer, DONE, textAnswer } from './answer.js';
import type { ControlledGuard } from './controlled.js';
import type { Peer } from './peer.js';
import { type Asked, queryInteger, queryWord, type Resource } from './resources.js';

const PID = '([1-9]\\d{0,9})';
const COMMAND_BYTES_MOST = 4096;
const COMMAND = /^setprotection[ \t]+([1-9][0-9]{0,9})[ \t]+([01])[ \t]*\n?$/;
const FLAG = /^[ \t]*([01])[ \t]*\n?$/;
const HOUR_MS = 3_600_000;

export interface ProposalOptions {
  /** Where the server listens: the usage text names it. */
  readonly path: string;
  /** Why callers may not protect themselves; null when they may. */
  readonly selfRefusal: BadnessError | null;
}

export function proposalFiles(guard: ControlledGuard, options: ProposalOptions): Resource[] {
  return [
    {
      name: '/oom',
      path: /^\/oom$/,
      text: true,
      methods: { GET: () => textAnswer(guard.queue.text()), PUT: (asked) => putQueue(guard, asked) },
    },
    {
      name: '/PID/oom',
      path: new RegExp(`^/${PID}/oom$`),
      text: true,
      methods: { GET: ({ parameters: [pid] }) => times(Number(pid), Number(pid)) },
    },
    {
      name: '/PID/task/TID/oom',
      path: new RegExp(`^/${PID}/task/${PID}/oom$`),
      text: true,
      methods: { GET: ({ parameters: [pid, tid] }) => times(Number(pid), Number(tid)) },
    },
    ...protectionFiles(guard, options),
  ];
}

function protectionFiles(guard: ControlledGuard, options: ProposalOptions): Resource[] {
  const file = (name: string, methods: Resource['methods'], open = false): Resource => ({
    name: `/oom_kill_protection/${name}`,
    path: new RegExp(`^/oom_kill_protection/${name}$`),
    text: true,
    open,
    methods,
  });
  return [
    file('status', { GET: () => textAnswer(statusText(guard)) }),
    file('usage', { GET: () => textAnswer(usageText(options.path)) }),
    file('ctl', { POST: ({ body }) => command(guard, body) }),
    file(
      'self',
      {
        GET: ({ peer }) => textAnswer(guard.isProtected(callerOf(peer, options)) ? '1\n' : '0\n'),
        PUT: ({ peer, body }) => protectSelf(guard, callerOf(peer, options), body),
      },
      true,
    ),
  ];
}

/**
 * Replaces the list and answers what it is now. `missing=drop` leaves ids out that no task has, instead of ESRCH; with `lasts_ms` it
 * counts so long, and is left alone by rounds from then on. Throws as CandidateQueue.replace; the old list stays.
 */
function putQueue({ queue }: ControlledGuard, { query, body }: Asked): Answer {
  const missing = queryWord(query, 'missing', ['refuse', 'drop'], 'refuse');
  const lastsMs = queryInteger(query, 'lasts_ms', 1, HOUR_MS, 0);
  queue.replace(body, { missing, ...(lastsMs > 0 ? { untilMs: monotonicMs() + lastsMs } : {}) });
  return textAnswer(queue.text());
}

/** `4711 1234 56`: the thread, and its time in user mode and in the kernel. The proposal counted jiffies, which no file tells any more. */
function times(pid: number, tid: number): Answer {
  const { utimeTicks, stimeTicks } = threadTimes(pid, tid);
  return {
    ...textAnswer(`${tid} ${utimeTicks} ${stimeTicks}\n`),
    headers: { 'X-Badness-Unit': `1/${USER_HZ} s` },
  };
}

/** Nothing in a name may end its line or move a cursor. */
function shownName(comm: string): string {
  return comm.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\\]/gu, (character) => {
    const code = character.codePointAt(0)!;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** One line a process, where the proposal had one a thread. */
function statusText(guard: ControlledGuard): string {
  const row = (pid: string, name: string) => `${pid.padEnd(10)} ${name.padEnd(16)}\n`;
  const rows = guard.protectedTasks().map(({ tgid, comm }) => row(String(tgid), shownName(comm)));
  return `OOM protected processes:\n${row('PID', 'NAME')}${row('---', '----')}${rows.join('')}`;
}

function usageText(path: string): string {
  const curl = `curl --unix-socket ${path}`;
  return `Usage:
${curl} http://badness/oom_kill_protection/status
${curl} --data "setprotection <pid> [0/1]" http://badness/oom_kill_protection/ctl
`;
}

/** `setprotection 4711 1`. Throws BadnessError `EINVAL` and as setProtection. */
function command(guard: ControlledGuard, body: Buffer): Answer {
  const [, pid, flag] = body.length > COMMAND_BYTES_MOST ? [] : (COMMAND.exec(body.toString('latin1')) ?? []);
  if (pid === undefined || Number(pid) > PID_MAX) {
    throw new BadnessError('EINVAL', `expected 'setprotection PID 0' or 'setprotection PID 1', PID 1..${PID_MAX}`);
  }
  guard.setProtection(Number(pid), flag === '1');
  return DONE;
}

/** The pid of whoever asks. Throws BadnessError `ENOSYS` where the kernel cannot be asked, `EPERM` where it is not allowed, `ESRCH`. */
function callerOf(peer: Peer | null, { selfRefusal }: ProposalOptions): number {
  if (selfRefusal) throw selfRefusal;
  if (peer === null) throw new BadnessError('ENOSYS', 'the kernel does not say who connected');
  return peer.pid;
}

function protectSelf(guard: ControlledGuard, pid: number, body: Buffer): Answer {
  const flag = body.length > COMMAND_BYTES_MOST ? undefined : FLAG.exec(body.toString('latin1'))?.[1];
  if (flag === undefined) throw new BadnessError('EINVAL', 'expected 0 or 1');
  guard.setProtection(pid, flag === '1');
  return DONE;
}
