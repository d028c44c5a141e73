// A Unix datagram socket of the test's own, as a service manager has one: bound and read through koffi, since Node has none.
import { rmSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { unixAddress } from '../../../src/linux/native-datagram.js';
import { PATIENCE_MS } from './patience.js';

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_DONTWAIT = 0x40;
const MESSAGE_MOST = 4096;
const LOOK_MS = 2;

/** Everything that came, a message an entry. */
export interface Inbox {
  readonly messages: string[];
  /** Waits until it is so. @throws when it is not in good time. */
  until(what: string, holds: (messages: readonly string[]) => boolean): Promise<void>;
  close(): void;
}

interface Koffi {
  load(library: string): { func(name: string, result: string, args: string[]): (...args: unknown[]) => number };
}

/** Null where koffi is not installed. */
export async function openInbox(t: TestContext, name: string): Promise<Inbox | null> {
  const module = (await import('koffi').catch(() => null)) as { default?: unknown } | null;
  if (module === null) return null;
  const libc = ((module.default ?? module) as unknown as Koffi).load('libc.so.6');
  const close = libc.func('close', 'int', ['int']);
  const recv = libc.func('recv', 'long', ['int', 'uint8_t *', 'size_t', 'int']);
  const fd = libc.func('socket', 'int', ['int', 'int', 'int'])(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  const address = unixAddress(name);
  const bound = libc.func('bind', 'int', ['int', 'uint8_t *', 'unsigned int'])(fd, address, address.length);
  if (bound !== 0) throw new Error(`bind of ${name} failed`);
  const messages: string[] = [];
  const bytes = new Uint8Array(MESSAGE_MOST);
  let open = true;
  const read = () => {
    while (open) {
      const length = recv(fd, bytes, bytes.length, MSG_DONTWAIT);
      if (length <= 0) return;
      messages.push(Buffer.from(bytes.subarray(0, length)).toString());
    }
  };
  const inbox: Inbox = {
    messages,
    until: async (what, holds) => {
      for (const end = Date.now() + PATIENCE_MS; ; ) {
        read();
        if (holds(messages)) return;
        if (Date.now() > end) throw new Error(`${what}: not seen; ${JSON.stringify(messages)}`);
        await new Promise((look) => setTimeout(look, LOOK_MS));
      }
    },
    close: () => {
      if (open) close(fd);
      open = false;
      if (!name.startsWith('@')) rmSync(name, { force: true });
    },
  };
  t.after(() => inbox.close());
  return inbox;
}
