/** Stage: report. A file that is written whole or not at all, and over no other that somebody did not want to lose. */
import { closeSync, existsSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { usage } from './arguments.js';
import { CommandError, EXIT } from './exit.js';

/** Written beside its place; `keep` puts it there. */
export interface NewFile {
  write(text: string): void;
  /** Ends it. Throws where it cannot be put there, and says where it is instead. */
  keep(): void;
  /** Ends it, and nothing of it remains. */
  drop(): void;
}

function refused(path: string, error: unknown, more = ''): CommandError {
  const { code } = error as NodeJS.ErrnoException;
  return new CommandError(EXIT.unreadable, `expected to write ${path}, got ${code}${more}`);
}

/** Only its owner may read it: a recording tells the commands of everybody. Throws a usage error where there is a file already. */
export function openNewFile(path: string, force: boolean): NewFile {
  if (!force && existsSync(path)) throw usage(`${path} is there already; --force replaces it`);
  const part = `${path}.part-${process.pid}`;
  let fd: number;
  try {
    fd = openSync(part, 'wx', 0o600);
  } catch (error) {
    throw refused(path, error);
  }
  return {
    write(text) {
      const bytes = Buffer.from(text);
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      } catch (error) {
        throw refused(path, error);
      }
    },
    keep() {
      closeSync(fd);
      try {
        if (force) renameSync(part, path);
        else placeAnew(part, path);
      } catch (error) {
        if (error instanceof CommandError) throw error;
        throw refused(path, error, `; the recording is ${part}`);
      }
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
