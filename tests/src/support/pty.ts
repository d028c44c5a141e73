// A command on a real pseudo-terminal, made by script(1): keys go in, the bytes that a terminal would get come out.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { within } from './control-scene.js';
import { PATIENCE_MS } from './patience.js';

/** Why there can be no pseudo-terminal here, or false. */
export const noPty =
  ['script', 'stty'].some((program) => spawnSync(program, ['--version']).error !== undefined) &&
  'no script(1) or stty(1) here to make a terminal with';

export interface PtyOptions {
  readonly columns: number;
  readonly rows: number;
  readonly env?: Readonly<Record<string, string>>;
  /** With a shell that does job control, so that Ctrl-Z means something; it continues the command when it has stopped. */
  readonly jobs?: boolean;
}

/** What the shell around the command leaves behind: the settings of the terminal before and after, and its exit status. */
const AROUND = {
  plain:
    'stty -a > "$F/before"; sh -c \'echo $$ > "$F/pid"; exec "$@"\' sh "$@"; echo $? > "$F/status"; stty -a > "$F/after"',
  jobs: `set -m; stty -a > "$F/before"; sh -c 'echo $$ > "$F/pid"; exec "$@"' sh "$@"; stty -a > "$F/stopped"
    until [ -e "$F/continue" ]; do sleep 0.05; done; fg > /dev/null; echo $? > "$F/status"; stty -a > "$F/after"`,
};

export class Pty {
  /** Everything that the terminal got so far. */
  output = '';
  readonly folder: string;
  readonly ended: Promise<unknown>;
  readonly #script: ChildProcess;

  constructor(t: TestContext, command: readonly string[], { columns, rows, env = {}, jobs = false }: PtyOptions) {
    this.folder = mkdtempSync(join(tmpdir(), 'badness-pty-'));
    t.after(() => rmSync(this.folder, { recursive: true, force: true }));
    const file = join(this.folder, 'run.sh');
    writeFileSync(file, `stty cols ${columns} rows ${rows}; tty > "$F/tty"; ${jobs ? AROUND.jobs : AROUND.plain}\n`);
    const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    const { COLUMNS, LINES, NO_COLOR, FORCE_COLOR, NODE_OPTIONS, ...inherited } = process.env;
    this.#script = spawn('script', ['-qec', `sh '${file}' ${quoted}`, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...inherited, TERM: 'xterm', F: this.folder, ...env },
    });
    this.#script.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
    });
    // Keys for a command that has ended reach nobody.
    this.#script.stdin!.on('error', () => {});
    this.ended = once(this.#script, 'close');
    t.after(async () => {
      this.hangUp();
      await this.ended;
    });
  }

  /** What the shell has written to that file, without the newline; null when it has not yet. */
  told(name: string): string | null {
    const path = join(this.folder, name);
    return existsSync(path) ? readFileSync(path, 'utf8').trimEnd() || null : null;
  }

  keys(bytes: string): void {
    this.#script.stdin!.write(bytes, 'latin1');
  }

  /** As a window that is dragged. */
  resize(columns: number, rows: number): void {
    spawnSync('stty', ['-F', this.told('tty')!, 'cols', String(columns), 'rows', String(rows)]);
  }

  signal(name: NodeJS.Signals): void {
    process.kill(Number(this.told('pid')), name);
  }

  /** Lets a command go on that a shell with job control has seen stop. */
  goOn(): void {
    writeFileSync(join(this.folder, 'continue'), '');
  }

  /** The terminal goes, as when its window is closed. */
  hangUp(): void {
    this.#script.kill('SIGKILL');
  }

  /** Resolves when it is so; looks every few milliseconds. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    while (!isSo()) {
      if (Date.now() > end)
        throw new Error(
          `not within ${PATIENCE_MS} ms: ${what}; the terminal got ${JSON.stringify(this.output.slice(-1500))}`,
        );
      await new Promise((later) => setTimeout(later, 10));
    }
  }

  /** The exit status of the command, as a shell has it. */
  async status(): Promise<number> {
    await within(this.ended);
    return Number(this.told('status'));
  }
}
