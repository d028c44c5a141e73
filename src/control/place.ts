/**
 * Stage: none (sockets). Where a guard can be asked: the directory, who listens there already, and what a guard that is gone has
 * left. bind(2) itself follows no link and takes no name that exists, so a name is never taken from anybody who is alive.
 */
import { chmodSync, chownSync, lstatSync, mkdirSync, renameSync, rmSync, type Stats } from 'node:fs';
import type { Server } from 'node:net';
import { dirname, join } from 'node:path';
import { BadnessError } from '../errors.js';
import { askControl } from './client.js';

/** Who listens there already; nulls when it does not say. */
export interface LiveGuard {
  readonly pid: number | null;
  /** As GuardFacts has it. */
  readonly domain: string | null;
}

const ROOT_UID = 0;
const SYSTEM_PATH = '/run/badness/control.sock';
/** sun_path of unix(7) with its NUL. */
const PATH_BYTES_MOST = 107;
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;
/** A guard in the middle of a reading answers within this, on a busy machine too. */
const ANSWER_MS = 5000;

/** Root's is that of the machine, a user's lies in $XDG_RUNTIME_DIR. Null for a user without one. */
export function defaultControlPath(uid = process.geteuid?.() ?? 0, env = process.env): string | null {
  if (uid === ROOT_UID) return SYSTEM_PATH;
  const runtime = env.XDG_RUNTIME_DIR;
  return runtime?.startsWith('/') ? join(runtime, 'badness', 'control.sock') : null;
}

/**
 * Makes the directory where it is not there (0755), and looks who listens at `path`: null when nobody does.
 * Rejects with BadnessError `EPERM` for a directory where others could put something in the way, `EEXIST` for a file that is no
 * socket, `ENAMETOOLONG`; errno names when the directory cannot be made.
 */
export async function findLiveGuard(path: string): Promise<LiveGuard | null> {
  return (await look(path)).live;
}

/** Who listens; and where nobody does the socket that is there, as it was before anybody was asked. */
async function look(path: string): Promise<{ live: LiveGuard | null; left: Stats | null }> {
  if (Buffer.byteLength(path) > PATH_BYTES_MOST) {
    throw new BadnessError('ENAMETOOLONG', `the path of a socket must be at most ${PATH_BYTES_MOST} bytes: ${path}`);
  }
  makeDirectory(dirname(path));
  const left = lstatSync(path, { throwIfNoEntry: false }) ?? null;
  if (left === null) return { live: null, left };
  if (!left.isSocket()) throw new BadnessError('EEXIST', `${path} is there and is no socket; remove it yourself`);
  return { live: (await isListenedTo(path)) ? await whoListens(path) : null, left };
}

/** The refusal that names the other guard. */
export function takenError(path: string, { pid, domain }: LiveGuard): BadnessError {
  const who = domain === null ? 'somebody who does not say who it is' : `the guard of ${domain}, pid ${pid},`;
  return new BadnessError('EADDRINUSE', `${who} listens at ${path} already`);
}

/**
 * Has the server listen at `path`, with these permissions from its first moment. What a guard that is gone left there is replaced.
 * On the main thread only, which alone may set the umask. Rejects as findLiveGuard, with BadnessError `EADDRINUSE`, and with errno names where the
 * permissions cannot be had: then it does not listen.
 */
export async function listenAt(server: Server, path: string, mode: number, gid: number | null): Promise<void> {
  const { live, left } = await look(path);
  if (live) throw takenError(path, live);
  if (left) removeLeft(path, left);
  const umask = process.umask(0o177);
  try {
    await listening(server, path, () => process.umask(umask));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw takenError(path, (await findLiveGuard(path)) ?? { pid: null, domain: null });
  }
  try {
    // First the group, then what it may do.
    if (gid !== null) chownSync(path, -1, gid);
    chmodSync(path, mode);
  } catch (error) {
    // It would go on listening for somebody who holds it to be closed, and keep the process alive.
    server.close();
    throw error;
  }
}

/** The socket is made in the call itself; whether that went well is told later. */
function listening(server: Server, path: string, called: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    try {
      server.listen(path);
    } finally {
      called();
    }
  });
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o755 });
    // Whatever the umask: a group that may use the socket has to come to it.
    chmodSync(path, 0o755);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = lstatSync(path);
  if (!found.isDirectory()) throw new BadnessError('EPERM', `${path} must be a directory, and no link to one`);
  const { uid, mode } = found;
  const own = uid === ROOT_UID || uid === process.geteuid?.();
  // In a directory like /tmp others can add names, but not take ours away.
  if (!own || ((mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0)) {
    const octal = (mode & 0o7777).toString(8);
    throw new BadnessError(
      'EPERM',
      `${path} must belong to root or this user and be writable by nobody else: ${octal}`,
    );
  }
}

/**
 * Takes a socket that nobody listened to out of the way. Should another guard have put its own there in this moment, that one is
 * put back: it is moved first, and looked at where nobody else can move it.
 */
function removeLeft(path: string, left: Stats): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const { ino, mtimeMs } = lstatSync(aside);
  if (ino === left.ino && mtimeMs === left.mtimeMs) rmSync(aside);
  else renameSync(aside, path);
}

/** False for what a guard that was killed has left. */
async function isListenedTo(path: string): Promise<boolean> {
  const { createConnection } = await import('node:net');
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      // Its backlog is full.
      else if (error.code === 'EAGAIN') resolve(true);
      else reject(error);
    });
  });
}

async function whoListens(path: string): Promise<LiveGuard> {
  try {
    const { body } = await askControl(path, { resource: '/state', timeoutMs: ANSWER_MS });
    const { pid, domain } = JSON.parse(body) as Record<string, unknown>;
    return { pid: typeof pid === 'number' ? pid : null, domain: typeof domain === 'string' ? domain : null };
  } catch {
    return { pid: null, domain: null };
  }
}
