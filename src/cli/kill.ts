/** Stage: selection → kill → report. `badness kill`: one round by hand; nobody is signalled without --enforce. */
import { type PassedOver, roundReportToJson } from '../guard/index.js';
import type { Engine } from '../index.js';
import { killRound, openQueue, readMachine } from '../linux/index.js';
import { definePolicy, type PolicyInput } from '../policy/index.js';
import { choice, nativeOf, readArguments, refuseOperands, schemeNamed, scoreOptions, usage } from './arguments.js';
import { nativeCalls } from './doctor.js';
import { CommandError, EXIT } from './exit.js';
import { commandHelp } from './help.js';
import { killLines, refusalWords } from './kill-words.js';
import { systemPolicyIn } from './lens.js';
import { OPTIONS, type Values } from './options.js';
import { writeLines, writeWords } from './output.js';
import { openEngineFor } from './source.js';

const SIGNALS = { TERM: 'SIGTERM', KILL: 'SIGKILL' } as const;

/** Also of a round that a guard was asked for. */
export const EXIT_OF_OUTCOME = {
  released: EXIT.ok,
  dry: EXIT.ok,
  'left-alone': EXIT.ok,
  'called-off': EXIT.ok,
  refused: EXIT.refused,
  stuck: EXIT.stuck,
  'no-victim': EXIT.noVictim,
  gone: EXIT.gone,
  busy: EXIT.busy,
  'in-flight': EXIT.busy,
} as const;

/** What the command line asks of the round, over what a policy file says, checked before anything is looked at. */
async function roundOptions(values: Values) {
  const { domain = 'system', scheme } = values;
  const native = nativeOf(values);
  if (domain !== 'system') throw usage(`--domain: only system yet, got ${JSON.stringify(domain)}`);
  const base: PolicyInput = values.policy === undefined ? {} : await systemPolicyIn(values.policy);
  return {
    policy: definePolicy({
      ...base,
      // Whoever asks for a round by hand asks for the kill by hand too.
      enforce: values.enforce === true,
      domain,
      scheme: scheme === undefined ? base.scheme : schemeNamed(scheme),
      parameters: { ...base.parameters, ...scoreOptions(values) },
    }),
    signal: SIGNALS[choice('--signal', values.signal ?? 'TERM', OPTIONS.signal.choices)],
    ...(native === undefined ? {} : { native }),
  };
}

/** Fills the candidate queue. Ids that no task has are left out of it, and said. */
function fillQueue(engine: Engine, text: string) {
  const queue = openQueue(engine);
  try {
    const { gone } = queue.replace(text);
    return { queue, missing: gone.map((tgid): PassedOver => ({ tgid, reason: 'not there' })) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EINVAL' || code === 'E2BIG') throw usage(`--queue: ${message}, got ${JSON.stringify(text)}`);
    throw error;
  }
}

/** Runs the command. `argv` is what follows its name. */
export async function kill(argv: string[]): Promise<void> {
  const { values, positionals } = readArguments('kill', argv);
  if (values.help) return writeLines(commandHelp('kill'));
  refuseOperands('kill', positionals, '--queue names tasks that come first');
  const options = await roundOptions(values);
  const machine = readMachine();
  await nativeCalls(options.native);
  const engine = await openEngineFor('/proc');
  const { queue, missing } = fillQueue(engine, values.queue ?? '');
  const report = await killRound(engine, { ...options, queue });
  // Whatever the round did not come to is given back.
  queue.replace('');
  report.passedOver.unshift(...missing);
  if (values.json) await writeLines([JSON.stringify(roundReportToJson(report))]);
  else await writeWords(killLines(report, options.policy, machine));
  const exit = EXIT_OF_OUTCOME[report.outcome];
  if (exit !== EXIT.ok) throw new CommandError(exit, refusalWords(report));
}
