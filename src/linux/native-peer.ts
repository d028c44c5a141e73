// Stage: none (facts). In: a connected Unix socket. Out: which process is at the other end, by the word of the kernel.
import type { Failures, Library } from './native.js';

/** The process that called connect(2), as it was then. */
export interface PeerCredentials {
  readonly pid: number;
  /** Effective ids. */
  readonly uid: number;
  readonly gid: number;
}

// include/uapi/asm-generic/socket.h, which all architectures of the table of system calls share.
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERGROUPS = 59;

const WORD_BYTES = 4;
/** More than any system gives to one process by default; the kernel says how many there are when it is too little. */
const GROUPS_FIRST = 64;

/** getsockopt(2) for the two options that tell of the other end. */
export function bindPeer(library: Library, { failure }: Failures) {
  const getsockopt = library.func('getsockopt', 'int', ['int', 'int', 'int', 'uint8_t *', 'uint8_t *']);
  /** The answer, as 32-bit words; how many words there would be where they do not fit. */
  const ask = (fd: number, option: number, words: number): Uint32Array | number => {
    const value = new Uint32Array(words);
    const length = new Uint32Array([words * WORD_BYTES]);
    const bytes = (array: Uint32Array) => new Uint8Array(array.buffer);
    const result = getsockopt(fd, SOL_SOCKET, option, bytes(value), bytes(length));
    const got = length[0]! / WORD_BYTES;
    if (result === 0) return value.subarray(0, got);
    const error = failure('getsockopt');
    if (error.code === 'ERANGE' && got > words) return got;
    throw error;
  };
  return {
    peerCredentials(fd: number): PeerCredentials {
      const [pid, uid, gid] = ask(fd, SO_PEERCRED, 3) as Uint32Array;
      return { pid: pid!, uid: uid!, gid: gid! };
    },
    peerGroups(fd: number): number[] {
      const first = ask(fd, SO_PEERGROUPS, GROUPS_FIRST);
      const groups = typeof first === 'number' ? ask(fd, SO_PEERGROUPS, first) : first;
      return [...(groups as Uint32Array)];
    },
  };
}
