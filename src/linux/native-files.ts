// Stage: bytes of /proc. In: libc. Out: the file calls by address, without a copy and without Node's own layers.
import { type FileCalls, NODE_FILES } from './file-calls.js';
import type { Failures, Library } from './native.js';
import { PidListing } from './pid-listing.js';
import type { SyscallNumbers } from './syscalls.js';

/** O_RDONLY | O_CLOEXEC, include/uapi/asm-generic/fcntl.h. */
const READ_CLOEXEC = 0o2000000;
const F_DUPFD_CLOEXEC = 1030;
/** Where off_t may be wider than long; nobody runs out of memory fast enough there to notice. */
const NARROW = ['ia32', 'arm'];

/** `address` tells where bytes are; koffi takes a number for a pointer, and that costs half of passing an array. */
export function bindFiles(
  library: Library,
  address: (bytes: Uint8Array) => number,
  numbers: SyscallNumbers,
  failures: Failures,
): FileCalls {
  if (NARROW.includes(process.arch)) return NODE_FILES;
  // Declared with fixed arguments: the platforms of the table pass these like variadic ones.
  const open = library.func('open', 'int', ['str', 'int']);
  const pread = library.func('pread', 'long', ['int', 'uintptr_t', 'size_t', 'long']);
  const close = library.func('close', 'int', ['int']);
  const fcntl = library.func('fcntl', 'int', ['int', 'int', 'long']);
  const syscall = library.func('syscall', 'long', ['long', 'int', 'uintptr_t', 'size_t']);
  const opened = (path: string) => failures.check('open', open(path, READ_CLOEXEC));
  return {
    open: opened,
    pidsIn(root) {
      const listing = new PidListing();
      return () => {
        const fd = opened(root);
        try {
          return listing.read((bytes, at) =>
            failures.check('getdents64', syscall(numbers.getdents64, fd, address(bytes) + at, bytes.length - at)),
          );
        } finally {
          close(fd);
        }
      };
    },
    readerInto(bytes) {
      const base = address(bytes);
      const { byteLength } = bytes;
      return (fd, at, length, position) => {
        if (at < 0 || length < 0 || at + length > byteLength) {
          throw new RangeError(`expected ${length} bytes at ${at} within ${byteLength}`);
        }
        const got = pread(fd, base + at, length, position);
        return got < 0 ? failures.check('pread', got) : got;
      };
    },
    close(fd) {
      failures.check('close', close(fd));
    },
    reserve(descriptors) {
      const some = open('/', READ_CLOEXEC);
      const last = fcntl(some, F_DUPFD_CLOEXEC, descriptors - 1);
      // Not so many allowed: it will go without.
      for (const fd of [some, last]) if (fd >= 0) close(fd);
    },
  };
}
