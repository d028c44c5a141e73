/** Stage: report. `badness ctl`: asks a guard that runs, over its control socket. */
import { askControl, type ControlAsk, controlEvents } from '../control/index.js';
import { firstWord, integer, readArguments, usage } from './arguments.js';
import { decisionWords, eventWords, roundWords, type StateRecord, stateLines } from './ctl-words.js';
import { CommandError, EXIT, type ExitCode } from './exit.js';
import { feedQueue } from './feed.js';
import { controlPath } from './guard-control.js';
import { commandHelp } from './help.js';
import { EXIT_OF_OUTCOME } from './kill.js';
import { stopSignal } from './long-run.js';
import type { Values } from './options.js';
import { linesOf, writeLines, writeText, writeWords } from './output.js';

const ASKS = ['oom', 'protect', 'unprotect', 'status', 'state', 'events', 'decisions', 'decision', 'round'] as const;
/** The others answer with a file of the proposals, or not at all. */
const JSON_ASKS: readonly string[] = ['state', 'events', 'decisions', 'decision', 'round'];
const FEED_ONLY = ['every', 'scheme', 'max-discount', 'age', 'adj'] as const;
const PID_MAX = 4_194_304;
const DECISIONS_MOST = 64;
const ID_MAX = 4_294_967_295;

const EXIT_OF_CODE: Readonly<Record<string, ExitCode>> = {
  ENOENT: EXIT.noControl,
  ECONNREFUSED: EXIT.noControl,
  ECONNRESET: EXIT.noControl,
  EACCES: EXIT.forbidden,
  EPERM: EXIT.forbidden,
  ESRCH: EXIT.noSuchPid,
  EBUSY: EXIT.busy,
};

/** One line for whatever the guard, or its absence, answers. */
function ctlError(error: unknown): unknown {
  const { code, message } = error as { code?: string; message: string };
  if (error instanceof CommandError || typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) return error;
  const gone = code === 'ECONNRESET' ? 'the guard has ended the connection' : message;
  return new CommandError(EXIT_OF_CODE[code] ?? EXIT.refusedAsk, `${code}: ${gone}`);
}

interface Command {
  /** Where the guard listens. Throws where that is nowhere. */
  path(): string;
  readonly values: Values;
  readonly operands: readonly string[];
  /** The answer of the guard, whole. */
  ask(ask: ControlAsk): Promise<string>;
}

function pidOf(text: string): number {
  return integer('PID', text, 1, PID_MAX);
}

async function oom({ path, values, operands, ask }: Command): Promise<void> {
  if (values.feed) {
    if (operands.length > 0 || values.clear) throw usage('oom --feed ranks by itself; it takes no PID and no --clear');
    return feedQueue(path, values);
  }
  if (values.clear && operands.length > 0) throw usage('oom --clear takes no PID');
  if (values.clear || operands.length > 0) {
    await ask({ method: 'PUT', resource: '/oom', body: operands.map(pidOf).join(' ') });
    return;
  }
  await writeWords(linesOf(await ask({ resource: '/oom' })));
}

async function setProtection({ operands, ask }: Command, flag: 0 | 1): Promise<void> {
  const [operand, ...more] = operands;
  if (operand === undefined || more.length > 0) {
    throw usage(`ctl ${flag ? 'protect' : 'unprotect'} takes one PID, got ${operands.length}`);
  }
  const body = `setprotection ${pidOf(operand)} ${flag}`;
  await ask({ method: 'POST', resource: '/oom_kill_protection/ctl', body });
}

async function state({ values, ask }: Command): Promise<void> {
  const text = await ask({ resource: '/state' });
  await (values.json ? writeLines(linesOf(text)) : writeWords(stateLines(JSON.parse(text) as StateRecord)));
}

async function decisions({ values, ask }: Command): Promise<void> {
  const last = values.count === undefined ? '' : `?last=${integer('-n', values.count, 1, DECISIONS_MOST)}`;
  const lines = linesOf(await ask({ resource: `/decisions${last}` })).filter((line) => line !== '');
  await (values.json ? writeLines(lines) : writeWords(lines.map((line) => decisionWords(JSON.parse(line)))));
}

/** One of them, by the number in its report; with --to-proc as a recording that replays to it. */
async function decision({ values, operands, ask }: Command): Promise<void> {
  const [operand, ...more] = operands;
  if (operand === undefined || more.length > 0) throw usage(`ctl decision takes one ID, got ${operands.length}`);
  const id = integer('ID', operand, 0, ID_MAX);
  if (values['to-proc']) return writeText(await ask({ resource: `/decisions/${id}/recording` }));
  const lines = linesOf(await ask({ resource: '/decisions' })).filter((line) => line !== '');
  const found = lines.find((line) => (JSON.parse(line) as { report: { decision: number } }).report.decision === id);
  if (found === undefined) throw new CommandError(EXIT.refusedAsk, `ENODATA: decision ${id} is not kept`);
  await (values.json ? writeLines([found]) : writeWords([decisionWords(JSON.parse(found))]));
}

/** Until the guard ends, or whoever listens does. */
async function events({ path, values }: Command): Promise<void> {
  for await (const { kind, data } of controlEvents(path(), stopSignal())) {
    if (kind === 'closed') return;
    if (kind === 'dropped') {
      throw new CommandError(
        EXIT.refusedAsk,
        'events were not read fast enough, and the guard has stopped sending them',
      );
    }
    await (values.json ? writeLines([data]) : writeWords([eventWords(JSON.parse(data))]));
  }
}

async function round({ values, ask }: Command): Promise<void> {
  const text = await ask({ method: 'POST', resource: '/round' });
  const report = JSON.parse(text) as Parameters<typeof roundWords>[0];
  await (values.json ? writeLines(linesOf(text)) : writeWords([roundWords(report)]));
  const exit = EXIT_OF_OUTCOME[report.outcome];
  if (exit !== EXIT.ok) throw new CommandError(exit, `the round ended as ${report.outcome}`);
}

const RUN: Readonly<Record<(typeof ASKS)[number], (command: Command) => Promise<void>>> = {
  oom,
  protect: (command) => setProtection(command, 1),
  unprotect: (command) => setProtection(command, 0),
  status: async ({ ask }) => writeWords(linesOf(await ask({ resource: '/oom_kill_protection/status' }))),
  state,
  events,
  decisions,
  decision,
  round,
};

function nowhere(asked: boolean): never {
  const why = asked ? 'none was asked for, by --control or BADNESS_CONTROL' : 'XDG_RUNTIME_DIR is not set';
  throw new CommandError(EXIT.noControl, `no control socket: ${why}; --control PATH names it`);
}

function checkOperands(name: string, operands: readonly string[], values: Values): void {
  const takes = ['oom', 'protect', 'unprotect', 'decision'].includes(name);
  if (!takes && operands.length > 0) throw usage(`ctl ${name} takes no operand, got ${JSON.stringify(operands[0])}`);
  if (name !== 'oom' && (values.feed || values.clear))
    throw usage(`--feed and --clear go with ctl oom, not ctl ${name}`);
  if (values.json && !JSON_ASKS.includes(name))
    throw usage(`--json goes with ctl ${JSON_ASKS.join(', ')}, not ctl ${name}`);
  if (values.count !== undefined && name !== 'decisions' && !values.feed)
    throw usage(`-n goes with ctl decisions and ctl oom --feed`);
  if (name !== 'decision' && values['to-proc']) throw usage(`--to-proc goes with ctl decision, not ctl ${name}`);
  const alone = FEED_ONLY.find((option) => values[option] !== undefined);
  if (alone && !values.feed) throw usage(`--${alone} goes with ctl oom --feed`);
}

/** Runs the command. `argv` is what follows its name. */
export async function ctl(argv: string[]): Promise<void> {
  const { values, positionals } = readArguments('ctl', argv);
  if (values.help) return writeLines(commandHelp('ctl'));
  const [word, ...operands] = positionals;
  const name = firstWord('ctl', word, ASKS);
  checkOperands(name, operands, values);
  const place = controlPath(values);
  // What is wrong with the command line is said first, wherever the guard is.
  const path = () => place.path ?? nowhere(place.asked);
  const ask = async (what: ControlAsk) => (await askControl(path(), what)).body;
  try {
    await RUN[name]({ path, values, operands, ask });
  } catch (error) {
    throw ctlError(error);
  }
}
