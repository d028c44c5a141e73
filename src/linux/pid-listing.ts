/**
 * Stage: bytes of /proc. Its list of pids by getdents64(2), into bytes that stay: a listing that says byte for byte what the one before
 * said makes no strings, no garbage, and nothing to be sorted. Most do, also on a machine that forks.
 */
import { pidsAmong } from '../proc/proc-files.js';

/** Fills what is left of the bytes from `at` on with entries of the folder; how many bytes, 0 at the end of the folder. */
export type ReadEntries = (bytes: Uint8Array, at: number) => number;

/** A system call fills so much at once: as glibc does, and far more than an entry has. */
const ROOM_BYTES = 32_768;
/** struct linux_dirent64: u64 inode, i64 offset, u16 length, u8 type, the name and its zero. */
const LENGTH_AT = 16;
const NAME_AT = 19;

export class PidListing {
  private bytes = Buffer.alloc(4 * ROOM_BYTES);
  private before = Buffer.alloc(4 * ROOM_BYTES);
  private lengthBefore = -1;
  private pids: readonly string[] = [];

  /** Names of all pids in alphabetical order, as readdirSync has them; the same array as long as nothing has changed. */
  read(entries: ReadEntries): readonly string[] {
    let length = 0;
    for (;;) {
      if (this.bytes.length - length < ROOM_BYTES) this.bytes = Buffer.concat([this.bytes], 2 * this.bytes.length);
      const got = entries(this.bytes, length);
      if (got === 0) break;
      length += got;
    }
    const { bytes, before } = this;
    if (length === this.lengthBefore && bytes.compare(before, 0, length, 0, length) === 0) return this.pids;
    this.before = bytes;
    this.bytes = before;
    this.lengthBefore = length;
    this.pids = pidsAmong(namesIn(bytes, length)).sort();
    return this.pids;
  }
}

function namesIn(bytes: Buffer, length: number): string[] {
  const lengths = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  const names: string[] = [];
  for (let at = 0; at < length; at += lengths[(at + LENGTH_AT) / 2]!) {
    names.push(bytes.toString('latin1', at + NAME_AT, bytes.indexOf(0, at + NAME_AT)));
  }
  return names;
}
