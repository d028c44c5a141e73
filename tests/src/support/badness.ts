// Runs the built command, and tells what a shell would see of it.

import { spawnSync } from 'node:child_process';

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  input?: string | Buffer;
  env?: Record<string, string>;
}

const COMMAND = 'dist/cli.js';

/** The environment of every run: nothing that changes what is shown comes from whoever runs the tests. */
function environment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { COLUMNS, LINES, NO_COLOR, FORCE_COLOR, NODE_OPTIONS, ...inherited } = process.env;
  // A guard of a test must not listen where the guard of this machine does.
  return { ...inherited, TERM: 'xterm', BADNESS_CONTROL: 'none', ...extra };
}

/** Runs `badness` with `args`; standard input is empty unless given. */
export function badness(args: string[], { input = '', env }: RunOptions = {}): Ran {
  const options = { input, env: environment(env), encoding: 'utf8' as const, maxBuffer: 1 << 28 };
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], options);
  return { status, stdout, stderr };
}

/** Runs a line of shell in which `badness` is the command. */
export function shell(line: string, { input = '', env }: RunOptions = {}): Ran {
  const script = `badness() { '${process.execPath}' ${COMMAND} "$@"; }\n${line}`;
  const options = { input, env: environment(env), encoding: 'utf8' as const, maxBuffer: 1 << 28 };
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], options);
  return { status, stdout, stderr };
}

/** Runs `badness` on a terminal of that size, through script(1). Null where there is no such program. */
export function onTerminal(args: string, columns: number, rows: number, env: Record<string, string> = {}): Ran | null {
  const line = `stty cols ${columns} rows ${rows}; '${process.execPath}' ${COMMAND} ${args}`;
  const options = { env: environment(env), encoding: 'utf8' as const, input: '' };
  const { error, status, stdout, stderr } = spawnSync('script', ['-qec', line, '/dev/null'], options);
  return error ? null : { status, stdout: stdout.replaceAll('\r\n', '\n'), stderr };
}

/** The objects of NDJSON output. */
export function records(ndjson: string): Record<string, unknown>[] {
  const lines = ndjson.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
