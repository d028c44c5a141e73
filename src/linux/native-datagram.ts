// Stage: none (facts). In: the address of a Unix datagram socket. Out: a way to send to it that opens nothing and allocates little later.
import type { Failures, Library } from './native.js';

/** Sends datagrams to one address. */
export interface DatagramSender {
  /** sendto(2), never blocking. Throws NativeError: ECONNREFUSED, ENOENT when nobody is there, EAGAIN when nobody reads. */
  send(bytes: Uint8Array): void;
  close(): void;
}

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
const FAMILY_BYTES = 2;
/** sun_path of unix(7). */
const PATH_BYTES = 108;

/** struct sockaddr_un: a path ends with NUL, the name of an abstract socket begins with one. @throws RangeError when it does not fit. */
export function unixAddress(name: string): Uint8Array {
  const isAbstract = name.startsWith('@');
  const path = Buffer.from(isAbstract ? `\0${name.slice(1)}` : `${name}\0`);
  if (path.length > PATH_BYTES)
    throw new RangeError(`the address of a Unix socket must fit ${PATH_BYTES} bytes: ${name}`);
  const bytes = new Uint8Array(FAMILY_BYTES + path.length);
  // In the byte order of the machine.
  bytes.set(new Uint8Array(new Uint16Array([AF_UNIX]).buffer));
  bytes.set(path, FAMILY_BYTES);
  return bytes;
}

/** socket(2) and sendto(2). Not connected: whoever listens may come back as another socket of the same name. */
export function bindDatagrams(library: Library, { check }: Failures, close: (fd: number) => void) {
  const socket = library.func('socket', 'int', ['int', 'int', 'int']);
  const sendto = library.func('sendto', 'long', ['int', 'uint8_t *', 'size_t', 'int', 'uint8_t *', 'unsigned int']);
  return {
    datagramsTo(name: string): DatagramSender {
      const address = unixAddress(name);
      const fd = check('socket', socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0));
      return {
        send: (bytes) => {
          check('sendto', sendto(fd, bytes, bytes.length, MSG_DONTWAIT_NOSIGNAL, address, address.length));
        },
        close: () => close(fd),
      };
    },
  };
}
