// Compiles tests/real/hostile.c once per process, where every user may run it.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let compiled: { path: string } | { skip: string } | null = null;

/** The path of the program, or the reason why there is none. Removed when this process exits. */
export function hostileBinary(): { path: string } | { skip: string } {
  compiled ??= compile();
  return compiled;
}

function compile(): { path: string } | { skip: string } {
  if (process.platform !== 'linux') return { skip: 'needs Linux' };
  const source = findSource();
  if (source === null) return { skip: 'tests/real/hostile.c is not there' };
  const directory = mkdtempSync(join(tmpdir(), 'badness-hostile-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  const path = join(directory, 'hostile');
  try {
    execFileSync('gcc', ['-O1', '-pthread', source, '-o', path], { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (missing) return { skip: 'no gcc' };
    throw error; // a helper that does not compile is a defect, not a reason to skip
  }
  chmodSync(path, 0o755);
  return { path };
}

/** The test runs as a bundle somewhere below the project, or from its root. */
function findSource(): string | null {
  for (const start of [dirname(fileURLToPath(import.meta.url)), process.cwd()]) {
    for (let up = start; ; up = dirname(up)) {
      const path = join(up, 'tests', 'real', 'hostile.c');
      if (existsSync(path)) return path;
      if (up === dirname(up)) break;
    }
  }
  return null;
}
