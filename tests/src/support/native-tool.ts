/** The host of examples/device, built anew for the test that asks. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Built = { path: string } | { skip: string };

/** Runs a build script into a folder of its own, which goes with this process. Fails where the script does. */
export function builtBy(script: string, program: string): Built {
  const folder = mkdtempSync(join(tmpdir(), 'badness-device-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const told = execFileSync(process.execPath, [script, folder], { encoding: 'utf8' }).trim();
  if (told.startsWith('skipped: ')) return { skip: told.slice('skipped: '.length) };
  return { path: join(folder, program) };
}

export const deviceHost = (): Built => builtBy('scripts/device.mjs', 'badness-device');
