// The forced pid reuse of tests/real/hostile.c, asked synchronously, so that it can happen in the middle of a kill.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ReuseHelper {
  /** A victim with this pid. False when the pid cannot be had. */
  first(pid: number): boolean;
  /** Ends the victim; an innocent takes its pid. `same`: within the clock tick of the victim's start. */
  reuse(): 'same' | 'other' | 'no';
  /** Was the innocent signalled? Ends it. */
  check(): 'clean' | 'SIGNALLED';
  end(): void;
}

/** Starts the helper; needs a pid namespace of its own, where the caller sees it in /proc. */
export function startReuseHelper(binary: string): ReuseHelper {
  const directory = mkdtempSync(join(tmpdir(), 'badness-reuse-'));
  const [inPath, outPath] = [join(directory, 'in'), join(directory, 'out')];
  execFileSync('mkfifo', [inPath, outPath]);
  // Opened for both directions, so that neither open waits for the other end. The helper gets descriptors, not pipes of Node:
  // those are not blocking, and an answer must be there when the call returns.
  const toHelper = openSync(inPath, 'r+');
  const fromHelper = openSync(outPath, 'r+');
  const child: ChildProcess = spawn(binary, ['reuse', '0'], { stdio: [toHelper, fromHelper, 'inherit'] });
  const buffer = Buffer.alloc(64);
  const ask = (line: string): string => {
    writeSync(toHelper, `${line}\n`);
    let answer = '';
    while (!answer.endsWith('\n')) answer += buffer.toString('latin1', 0, readSync(fromHelper, buffer, 0, 64, null));
    return answer.trim();
  };
  return {
    first: (pid) => ask(`first ${pid}`) === 'ok',
    reuse: () => ask('reuse') as 'same' | 'other' | 'no',
    check: () => ask('check') as 'clean' | 'SIGNALLED',
    end() {
      child.kill('SIGKILL');
      closeSync(toHelper);
      closeSync(fromHelper);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
