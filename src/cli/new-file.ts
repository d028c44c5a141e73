/** Stage: report. A file that is written whole or not at all, and over no other that somebody did not want to lose. */
import { closeSync, existsSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { usage } from './arguments.js';
import { CommandError, EXIT } from './exit.js';

/** Written beside its place; `keep` puts it there. */
export interface NewFile {
  write(text: string): void;
  keep(): void;
  /** Nothing of it remains. */
  drop(): void;
}

/** Only its owner may read it: a recording tells the commands of everybody. Throws a usage error where there is a file already. */
export function openNewFile(path: string, force: boolean): NewFile {
  if (!force && existsSync(path)) throw usage(`${path} is there already; --force replaces it`);
  const part = `${path}.part-${process.pid}`;
  let fd: number;
  try {
    fd = openSync(part, 'wx', 0o600);
  } catch (error) {
    throw new CommandError(EXIT.unreadable, `expected to write ${path}, got ${(error as NodeJS.ErrnoException).code}`);
  }
  return {
    write(text) {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    },
    keep() {
      closeSync(fd);
      if (force) renameSync(part, path);
      else placeAnew(part, path);
    },
    drop() {
      closeSync(fd);
      rmSync(part, { force: true });
    },
  };
}

/** A link fails where somebody has put a file meanwhile; a rename would replace it. */
function placeAnew(part: string, path: string): void {
  try {
    linkSync(part, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw usage(`${path} is there by now; the recording is ${part}`);
    // A file system without links.
    renameSync(part, path);
    return;
  }
  rmSync(part);
}
