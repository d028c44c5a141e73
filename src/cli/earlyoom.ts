/** Stage: none (files). What earlyoom was told, as a policy file: whatever has an equal here, and the names of what has none. */
import {
  PolicyFileError,
  parsePolicy,
  parseThresholdPair,
  type Threshold,
  type ThresholdPair,
  tomlString,
} from '../policy/index.js';
import { earlyoomFlags, type Flag } from './earlyoom-flags.js';
import { environmentOf, wordsOfValue } from './environment-file.js';
import { CommandError, EXIT } from './exit.js';
import { harmless, printable } from './names.js';
import { re2Expression } from './posix-expression.js';
import { wrapped } from './table.js';

export interface Imported {
  /** A policy file, which has been parsed as one. */
  readonly toml: string;
  /** What it does not say, a sentence each; also among its comments. */
  readonly unequal: readonly string[];
}

const VARIABLE = 'EARLYOOM_ARGS';
const DEFAULT_PAIR = '10';
const NOTE_WIDTH = 100;

/** Flags that need no line of the policy, or can have none, and why. */
const WITHOUT_LINE: Readonly<Record<string, string>> = {
  '-g': 'kills the whole process group of its victim; no policy says that, badness guard -g does',
  '-d': 'debugging messages; badness guard --json has every detail',
  '--debug': 'debugging messages; badness guard --json has every detail',
  '-k': 'earlyoom itself has ignored it since 1.2',
  '-i': 'earlyoom itself has ignored it since 1.7; here positive oom_score_adj count only in schemes of the kernel',
  '-p': 'priority is up to the service: Nice= and OOMScoreAdjust= of badness.service',
  '-v': 'earlyoom only prints its version and ends; badness --version',
  '-h': 'earlyoom only prints its help and ends; badness guard --help',
  '--help': 'earlyoom only prints its help and ends; badness guard --help',
  '--syslog': 'where lines go is up to the service: StandardOutput= of badness.service',
  '--kernel-oom': 'leaves the choice to the kernel; scheme linux-5.9 chooses the same task, and badness kills it',
};

/** Between quotes: literal where that will do, so that an expression can be read. */
function quoted(text: string): string {
  const isPlain = !/[\p{C}\p{Zl}\p{Zp}']/u.test(text);
  return isPlain && /["\\]/.test(text) ? `'${text}'` : tomlString(text);
}

class Import {
  /** What the policy does not say, or says differently. */
  readonly unequal: string[] = [];
  readonly rules: string[] = [];
  readonly notify: string[] = [];
  readonly #flags: readonly Flag[];

  constructor(flags: readonly Flag[]) {
    this.#flags = flags;
  }

  has(name: string): boolean {
    return this.#flags.some((flag) => flag.name === name);
  }

  /** What was said last. */
  value(name: string): string | undefined {
    return this.#flags.findLast((flag) => flag.name === name)?.value;
  }

  pair(name: string, unit: 'percent' | 'kib'): ThresholdPair | undefined {
    const written = this.value(name);
    return written === undefined ? undefined : parseThresholdPair(written, unit, name);
  }
}

function thresholdOf(name: string, level: 'term' | 'kill', percent?: ThresholdPair, kib?: ThresholdPair): string {
  const at: Partial<Threshold> = { ...percent?.[level], ...kib?.[level] };
  if (at.bytes === undefined) return `${level}.${name} = "${at.percent}%"`;
  if (at.percent === undefined) return `${level}.${name} = "${at.bytes}B"`;
  return `${level}.${name} = { percent = ${at.percent}, bytes = ${at.bytes} }`;
}

function thresholds(given: Import): string[] {
  const level = (name: string, percent: string, kib: string) => {
    const inKib = given.pair(kib, 'kib');
    const inPercent =
      given.pair(percent, 'percent') ?? (inKib ? undefined : parseThresholdPair(DEFAULT_PAIR, 'percent'));
    return (['term', 'kill'] as const).map((one) => thresholdOf(name, one, inPercent, inKib));
  };
  return ['[thresholds]', ...level('available', '-m', '-M'), ...level('swap_free', '-s', '-S')];
}

/** A rule on an expression, unless it cannot be said here; RE2 has the last word. */
async function expressionRule(given: Import, name: string, effect: string): Promise<void> {
  const expression = given.value(name);
  if (expression === undefined) return;
  try {
    if (expression === '') throw new RangeError('it is empty, and so found in every name');
    const rule = `[[rule]]  # ${name}\ncomm = ${quoted(`/${re2Expression(expression)}/`)}\n${effect}`;
    await parsePolicy(`version = 1\n${rule}\n`, name);
    given.rules.push(rule);
  } catch (error) {
    const [problem] = error instanceof PolicyFileError ? error.problems : [];
    // It quotes the expression, and goes into a comment: a line end in it would end that.
    const why = `${name} ${JSON.stringify(expression)} is left out: ${problem?.text ?? (error as Error).message}`;
    given.unequal.push(harmless(why).replaceAll('\n', '\\n'));
  }
}

async function addRules(given: Import): Promise<void> {
  await expressionRule(given, '--ignore', 'never = true');
  await expressionRule(given, '--avoid', 'times = "1/4"');
  await expressionRule(given, '--prefer', 'times = "4/1"');
  if (given.has('--ignore-root-user')) given.rules.push('[[rule]]  # --ignore-root-user\nuser = 0\nnever = true');
  const [avoid, prefer] = [given.has('--avoid'), given.has('--prefer')];
  if (!avoid && !prefer) return;
  const names = [...(avoid ? ['--avoid'] : []), ...(prefer ? ['--prefer'] : [])].join(' and ');
  given.unequal.push(
    `${names}: a quarter of the points, or four times; earlyoom counts 300 of oom_score, however small the task`,
  );
  if (avoid && prefer) given.unequal.push(`${names}: who matches both is avoided here, and neither for earlyoom`);
}

function notifiers(given: Import): void {
  for (const [name, on] of [
    ['-P', 'before_kill'],
    ['-N', 'after_kill'],
  ] as const) {
    const program = given.value(name);
    if (program === undefined) continue;
    if (!program.startsWith('/'))
      throw new RangeError(`${name} must be an absolute path, got ${JSON.stringify(program)}`);
    given.notify.push(`[[notify]]  # ${name}\non = "${on}"\ncommand = [${quoted(program)}]`);
    given.unequal.push(
      `${name}: EARLYOOM_CMDLINE is empty for programs of a policy, but not for badness guard ${name}`,
    );
  }
  if (given.has('-n')) {
    given.notify.push('[[notify]]  # -n\non = "after_kill"\ndesktop = true');
    given.unequal.push(
      '-n: runs notify-send as the user of the guard; a service has no desktop, and systembus-notify is not told',
    );
  }
}

function reportInterval(given: Import): void {
  const written = given.value('-r');
  if (written === undefined) return;
  const seconds = Number(written);
  if (!(seconds >= 0)) throw new RangeError(`-r must be seconds, 0 or more, got ${JSON.stringify(written)}`);
  given.unequal.push(
    `-r: no key of a policy; on the command line badness guard -r ${Math.round(seconds)} (3600 if left out)`,
  );
}

function tomlOf(given: Import, path: string): string {
  const notes = given.unequal.flatMap((sentence) => wrapped(`#   ${sentence}`, NOTE_WIDTH, '#     '));
  const scheme = given.has('--sort-by-rss')
    ? 'scheme = "resident"  # --sort-by-rss'
    : 'scheme = "linux-5.9"  # by oom_score, as earlyoom; "badness" spares old and busy tasks';
  const head = [
    `# From ${printable(path)}.`,
    ...(notes.length > 0 ? ['# Without an equal here, or not quite the same:', ...notes] : []),
    'version = 1',
    `enforce = ${!given.has('--dryrun')}  # false only tells who would be killed`,
    scheme,
  ];
  const parts = [head.join('\n'), thresholds(given).join('\n'), ...given.rules, ...given.notify];
  return `${parts.join('\n\n')}\n`;
}

/** The policy that does what earlyoom did with this file. Throws CommandError for what earlyoom would refuse. */
export async function importEarlyoom(text: string, path: string): Promise<Imported> {
  const line = environmentOf(text).get(VARIABLE);
  try {
    const given = new Import(earlyoomFlags(wordsOfValue(line ?? '')));
    if (line === undefined) given.unequal.push(`${VARIABLE} is not in it: these are the defaults of earlyoom`);
    await addRules(given);
    notifiers(given);
    reportInterval(given);
    for (const [name, why] of Object.entries(WITHOUT_LINE)) if (given.has(name)) given.unequal.push(`${name}: ${why}`);
    const toml = tomlOf(given, path);
    // Whatever is printed is a policy.
    await parsePolicy(toml, path);
    return { toml, unequal: given.unequal };
  } catch (error) {
    // Its lines are those of the policy that nobody has seen.
    const [problem] = error instanceof PolicyFileError ? error.problems : [];
    const words = problem?.text ?? (error instanceof RangeError ? error.message : null);
    if (words === null) throw error;
    throw new CommandError(EXIT.badPolicy, `${path}: ${VARIABLE}: ${words}`);
  }
}
