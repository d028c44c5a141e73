/** A /proc/meminfo of the test's own, mounted over the real one in a user namespace, so that no root is needed. */
import { spawnSync } from 'node:child_process';
import { openSync, truncateSync, writeSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { DESKTOP, FileTree, meminfoText } from './pressure-fixtures.js';

const NAMESPACES = ['unshare', '--map-root-user', '--mount'];
const MOUNT = 'mount --bind "$0" /proc/meminfo && exec "$@"';

/** Why there can be none here, or false. */
export function noFakeMemory(): string | false {
  if (process.platform !== 'linux') return 'needs Linux';
  const [file, ...args] = [...NAMESPACES, 'sh', '-c', MOUNT, '/dev/null', 'true'];
  const { status, stderr, error } = spawnSync(file!, args, { encoding: 'utf8' });
  return status === 0 ? false : `no user namespace: ${error?.message ?? stderr.trim()}`;
}

export class FakeMemory {
  /** What to start a program through, so that it sees this memory. */
  readonly through: readonly string[];
  readonly #path: string;
  readonly #file: number;

  constructor(t: TestContext, percent: number) {
    const tree = new FileTree(t, { meminfo: textOf(percent) });
    this.#path = tree.at('meminfo');
    this.#file = openSync(this.#path, 'r+');
    this.through = [...NAMESPACES, 'sh', '-c', MOUNT, this.#path];
  }

  /** So much is available from now on. In one write of the same length: no reader sees half of it. */
  set(percent: number): void {
    writeSync(this.#file, textOf(percent), 0);
  }

  /** From now on it cannot be read. */
  empty(): void {
    truncateSync(this.#path, 0);
  }
}

function textOf(percent: number): string {
  const available = Math.round((DESKTOP.total * percent) / 100);
  return meminfoText({ ...DESKTOP, available, anon: DESKTOP.total - available });
}
