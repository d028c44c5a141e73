/** Folders of the tests' own, which go with them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** Where the path is not long: the name of a Unix socket below has at most 107 bytes. */
const BASE = tmpdir().length <= 60 ? tmpdir() : '/tmp';

function make(): string {
  return mkdtempSync(join(BASE, 'badness-test-'));
}

/** One for a test. */
export function ownFolder(t: Pick<TestContext, 'after'>): string {
  const folder = make();
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface OwnFiles {
  readonly folder: string;
  /** Writes a file in it. Its path. */
  write(name: string, text: string | Uint8Array): string;
}

/** One for all the tests of a file. */
export function ownFiles(): OwnFiles {
  const folder = make();
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return {
    folder,
    write(name, text) {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    },
  };
}
