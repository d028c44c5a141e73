// Stage: kill, watch. In: koffi when it is installed. Out: the calls of libc that Node does not offer, or the reason why not.

import { bindEventLoop, type EventLoop } from './event-loop.js';
import type { FileCalls } from './file-calls.js';
import { bindDatagrams, type DatagramSender } from './native-datagram.js';
import { bindFiles } from './native-files.js';
import { bindPeer, type PeerCredentials } from './native-peer.js';
import { muslName, type SyscallNumbers, syscallNumbers } from './syscalls.js';

/** An error of a system call, in the shape of Node's own: `code` is the errno name, `syscall` the call. */
export class NativeError extends Error {
  readonly code: string;
  readonly syscall: string;

  constructor(syscall: string, code: string) {
    super(`${syscall}: ${code}`);
    this.name = 'NativeError';
    this.code = code;
    this.syscall = syscall;
  }
}

/** One descriptor to wait for; `events` is a sum of POLLIN, POLLPRI (poll(2)). */
export interface PollRequest {
  readonly fd: number;
  readonly events: number;
}

/** A list of requests that is polled again and again. */
export interface PollSet {
  /** poll(2), blocking this thread. The `revents` in the order of the requests; null, and nothing allocated, when none is ready. */
  poll(timeoutMs: number): number[] | null;
}

export const POLLIN = 1;
export const POLLPRI = 2;
export const POLLERR = 8;
export const POLLHUP = 16;
export const POLLNVAL = 32;

/** libc through koffi. Every call throws {@link NativeError} unless it says otherwise. Descriptors are the caller's to close. */
export interface Native {
  /** Which library answered, e.g. `libc.so.6`. */
  readonly library: string;
  /** pidfd_open(2). EINVAL when `pid` is no thread-group leader, ESRCH when it is gone, ENOSYS before Linux 5.3. */
  pidfdOpen(pid: number): number;
  /** pidfd_send_signal(2). `signal` 0 only asks for permission (EPERM). A zombie accepts signals: success proves nothing. */
  pidfdSendSignal(pidfd: number, signal: number): void;
  /** process_mrelease(2), Linux 5.15. EINVAL when some sharer of the memory is not dying, ESRCH when no thread holds it, EAGAIN to try later. */
  processMrelease(pidfd: number): Promise<void>;
  /** process_mrelease(2) on a task that is not dying, for its errno name: EINVAL where the call exists, ENOSYS where not. Never on a victim. */
  probeMrelease(pidfd: number): string;
  /** poll(2), blocking this thread. `timeoutMs` −1 waits for ever. The `revents` in the order of `requests`. EINTR counts as a timeout. */
  poll(requests: readonly PollRequest[], timeoutMs: number): number[];
  /** The same for a list that is kept. */
  pollSet(requests: readonly PollRequest[]): PollSet;
  /** poll(2) on a thread of libuv's pool. Keeps the process alive until it returns. */
  pollAsync(requests: readonly PollRequest[], timeoutMs: number): Promise<number[]>;
  /** kcmp(2) KCMP_VM: true when two tasks (thread ids will do) have the same mm, or both have none. EPERM, ESRCH, ENOSYS. */
  sharesVm(pidA: number, pidB: number): boolean;
  /** setpriority(2) on one thread, −20 … 19. EACCES without CAP_SYS_NICE, ESRCH. */
  setThreadPriority(tid: number, nice: number): void;
  /** mlock2(2) MLOCK_ONFAULT: what is resident of a mapping stays. ENOMEM, EPERM by RLIMIT_MEMLOCK, ENOSYS before Linux 4.4. */
  lockOnFault(address: number, bytes: number): void;
  /** madvise(2) MADV_DONTNEED: clean pages of a file leave this process until they are touched; what was written is lost. EINVAL where locked. */
  dropPages(address: number, bytes: number): void;
  /** eventfd(2), non-blocking, close-on-exec. */
  eventfd(): number;
  /** read(2) into `into`; the count. EAGAIN on an eventfd without count. */
  read(fd: number, into: Uint8Array): number;
  /** Adds one to an eventfd. */
  wake(eventfd: number): void;
  /** close(2). */
  close(fd: number): void;
  /** Who connected to a Unix socket, as the kernel saw it then (SO_PEERCRED). ENOTSOCK, EBADF. */
  peerCredentials(fd: number): PeerCredentials;
  /** The supplementary groups of that process (SO_PEERGROUPS, Linux 4.13). ENOPROTOOPT before. */
  peerGroups(fd: number): number[];
  /** Files by address. */
  readonly files: FileCalls;
  /** Opens a Unix datagram socket for sending to this address, `@name` for an abstract one. RangeError when it is too long. */
  datagramsTo(name: string): DatagramSender;
  /** The event loop of this thread, where it can be polled: the main thread of Node. */
  readonly eventLoop: EventLoop | null;
}

/** What loading came to: the calls, or null and the reason in words. */
export interface NativeLoad {
  readonly native: Native | null;
  readonly reason: string | null;
}

type NativeMode = 'auto' | 'none';

interface Call {
  (...args: unknown[]): number;
  async(...args: unknown[]): void;
}

interface Koffi {
  address(bytes: Uint8Array): bigint;
  load(library: string | null): { func(name: string, result: string, args: string[]): Call };
  errno(): number;
  os: { errno: Record<string, number> };
}

const KCMP_VM = 1;
const PRIO_PROCESS = 0;
const MLOCK_ONFAULT = 1;
const MADV_DONTNEED = 4;
const EFD_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000;

let loading: Promise<NativeLoad> | null = null;

/**
 * Loads libc through koffi, once per thread. A failure is no error: `native` is null and `reason` says why.
 * `native: 'none'` or the environment `BADNESS_NATIVE=none` switches it off.
 * @throws RangeError when the option or the environment holds another word than `auto` or `none`.
 */
export function loadNative(options: { readonly native?: NativeMode } = {}): Promise<NativeLoad> {
  const named = options.native ?? (process.env.BADNESS_NATIVE || 'auto');
  if (named !== 'auto' && named !== 'none') throw new RangeError(`native must be auto or none, got ${named}`);
  if (named === 'none') return Promise.resolve({ native: null, reason: 'switched off' });
  loading ??= load();
  return loading;
}

async function load(): Promise<NativeLoad> {
  if (process.platform !== 'linux') return { native: null, reason: `no native calls on ${process.platform}` };
  const numbers = syscallNumbers(process.arch);
  if (numbers === null) return { native: null, reason: `no system call numbers for ${process.arch}` };
  try {
    const module = (await import('koffi')) as { default?: unknown };
    const koffi = (module.default ?? module) as unknown as Koffi;
    return { native: bind(koffi, numbers), reason: null };
  } catch (error) {
    const failure = error as NodeJS.ErrnoException;
    const missing = failure.code === 'ERR_MODULE_NOT_FOUND' || failure.code === 'MODULE_NOT_FOUND';
    return { native: null, reason: missing ? 'koffi is not installed' : `koffi: ${failure.message}` };
  }
}

function openLibc(koffi: Koffi): { name: string; handle: ReturnType<Koffi['load']> } {
  const names = ['libc.so.6', `libc.musl-${muslName(process.arch)}.so.1`];
  for (const name of names) {
    try {
      return { name, handle: koffi.load(name) };
    } catch {
      // The other libc, then.
    }
  }
  return { name: 'the process itself', handle: koffi.load(null) };
}

/** V8 keeps a small array among its objects, which move. */
const POLL_BYTES_LEAST = 256;

/** The pollfd array of poll(2). It stays where it is. */
function pollBytes(requests: readonly PollRequest[]): { bytes: Uint8Array; results(): number[] } {
  const bytes = new Uint8Array(Math.max(POLL_BYTES_LEAST, requests.length * 8));
  const words32 = new Int32Array(bytes.buffer);
  const words16 = new Int16Array(bytes.buffer);
  requests.forEach((request, index) => {
    words32[index * 2] = request.fd;
    words16[index * 4 + 2] = request.events;
  });
  return { bytes, results: () => requests.map((_, index) => words16[index * 4 + 3]!) };
}

export type Library = ReturnType<Koffi['load']>;

/** Turns the −1 of a call into an error that names the call and the errno. */
export interface Failures {
  failure(call: string): NativeError;
  check(call: string, result: number): number;
}

function bindFailures(koffi: Koffi): Failures {
  const names = new Map(Object.entries(koffi.os.errno).map(([code, number]) => [number, code]));
  names.set(11, 'EAGAIN'); // also EWOULDBLOCK: one of the two names, the same everywhere
  const failure = (call: string) => new NativeError(call, names.get(koffi.errno()) ?? `errno ${koffi.errno()}`);
  return {
    failure,
    check: (call, result) => {
      if (result < 0) throw failure(call);
      return result;
    },
  };
}

/** The calls that have no function of their own in every libc. */
function bindSyscalls(library: Library, numbers: SyscallNumbers, { failure, check }: Failures) {
  // Declared with fixed arguments: all six platforms pass these like variadic ones, and koffi refuses async variadic calls.
  const syscall = library.func('syscall', 'long', ['long', 'long', 'long', 'long', 'long', 'long']);
  const five = (nr: number, a: number, b = 0, c = 0, d = 0, e = 0): number => syscall(nr, a, b, c, d, e);
  return {
    pidfdOpen: (pid: number) => check('pidfd_open', five(numbers.pidfdOpen, pid)),
    pidfdSendSignal: (pidfd: number, signal: number) => {
      check('pidfd_send_signal', five(numbers.pidfdSendSignal, pidfd, signal));
    },
    processMrelease: (pidfd: number) =>
      new Promise<void>((resolve, reject) => {
        // errno is that of the call only inside the callback.
        syscall.async(numbers.processMrelease, pidfd, 0, 0, 0, 0, (error: unknown, result: number) => {
          if (error) reject(error);
          else if (result < 0) reject(failure('process_mrelease'));
          else resolve();
        });
      }),
    probeMrelease: (pidfd: number) => {
      try {
        check('process_mrelease', five(numbers.processMrelease, pidfd));
        return 'ok';
      } catch (error) {
        return (error as NativeError).code;
      }
    },
    sharesVm: (pidA: number, pidB: number) => check('kcmp', five(numbers.kcmp, pidA, pidB, KCMP_VM)) === 0,
    lockOnFault: (address: number, bytes: number) => {
      check('mlock2', five(numbers.mlock2, address, bytes, MLOCK_ONFAULT));
    },
    eventfd: () => check('eventfd', five(numbers.eventfd2, 0, EFD_NONBLOCK_CLOEXEC)),
  };
}

/** Waiting: poll(2), in this thread or in libuv's pool. A signal that interrupts it looks like nothing having happened. */
function bindPoll(library: Library, address: (bytes: Uint8Array) => number, { failure }: Failures) {
  const poll = library.func('poll', 'int', ['uintptr_t', 'unsigned long', 'int']);
  /** Null when none is ready. */
  const polled = (result: number, results: () => number[]): number[] | null => {
    if (result > 0) return results();
    if (result === 0) return null;
    const error = failure('poll');
    if (error.code !== 'EINTR') throw error;
    return null;
  };
  const none = (requests: readonly PollRequest[]) => new Array<number>(requests.length).fill(0);
  const pollSet = (requests: readonly PollRequest[]): PollSet => {
    const { bytes, results } = pollBytes(requests);
    const at = address(bytes);
    return { poll: (timeoutMs) => polled(poll(at, requests.length, timeoutMs), results) };
  };
  return {
    pollSet,
    poll: (requests: readonly PollRequest[], timeoutMs: number) => pollSet(requests).poll(timeoutMs) ?? none(requests),
    pollAsync: (requests: readonly PollRequest[], timeoutMs: number) =>
      new Promise<number[]>((resolve, reject) => {
        const { bytes, results } = pollBytes(requests);
        poll.async(address(bytes), requests.length, timeoutMs, (error: unknown, result: number) => {
          try {
            if (error) throw error;
            resolve(polled(result, results) ?? none(requests));
          } catch (failed) {
            reject(failed);
          }
        });
      }),
  };
}

/** What libc has functions for. */
function bindLibc(library: Library, { check }: Failures) {
  const libcRead = library.func('read', 'long', ['int', 'uint8_t *', 'size_t']);
  const libcWrite = library.func('write', 'long', ['int', 'uint8_t *', 'size_t']);
  const libcClose = library.func('close', 'int', ['int']);
  const madvise = library.func('madvise', 'int', ['uintptr_t', 'size_t', 'int']);
  const setpriority = library.func('setpriority', 'int', ['int', 'unsigned int', 'int']);
  const one = new Uint8Array(new BigUint64Array([1n]).buffer);
  return {
    setThreadPriority: (tid: number, nice: number) => {
      check('setpriority', setpriority(PRIO_PROCESS, tid, nice));
    },
    dropPages: (address: number, bytes: number) => void check('madvise', madvise(address, bytes, MADV_DONTNEED)),
    read: (fd: number, into: Uint8Array) => check('read', libcRead(fd, into, into.length)),
    wake: (eventfd: number) => {
      check('write', libcWrite(eventfd, one, 8));
    },
    close: (fd: number) => void check('close', libcClose(fd)),
  };
}

function bind(koffi: Koffi, numbers: SyscallNumbers): Native {
  const { name, handle } = openLibc(koffi);
  const failures = bindFailures(koffi);
  const address = (bytes: Uint8Array) => Number(koffi.address(bytes));
  const libc = bindLibc(handle, failures);
  return {
    library: name,
    ...bindSyscalls(handle, numbers, failures),
    ...bindPoll(handle, address, failures),
    ...libc,
    ...bindPeer(handle, failures),
    ...bindDatagrams(handle, failures, libc.close),
    files: bindFiles(handle, address, numbers, failures),
    eventLoop: bindEventLoop(() => koffi.load(null)),
  };
}
