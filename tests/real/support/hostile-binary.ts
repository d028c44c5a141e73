// Compiles the programs of tests/real, such as hostile.c, once per process, where every user may run them.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Binary = { path: string } | { skip: string };

const compiled = new Map<string, Binary>();

/** The path of hostile.c's program, or the reason why there is none. Removed when this process exits. */
export function hostileBinary(): Binary {
  return realBinary('hostile');
}

/** The same of another source in tests/real. */
export function realBinary(name: string): Binary {
  const found = compiled.get(name) ?? compile(name);
  compiled.set(name, found);
  return found;
}

function compile(name: string): Binary {
  if (process.platform !== 'linux') return { skip: 'needs Linux' };
  const source = findSource(`${name}.c`);
  if (source === null) return { skip: `tests/real/${name}.c is not there` };
  const directory = mkdtempSync(join(tmpdir(), 'badness-hostile-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  const path = join(directory, name);
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
function findSource(file: string): string | null {
  for (const start of [dirname(fileURLToPath(import.meta.url)), process.cwd()]) {
    for (let up = start; ; up = dirname(up)) {
      const path = join(up, 'tests', 'real', file);
      if (existsSync(path)) return path;
      if (up === dirname(up)) break;
    }
  }
  return null;
}
