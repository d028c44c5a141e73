/** Stage: report. `badness fleet`: what whoever keeps a fleet asks of it. Its packages are loaded here, and only here. */
import { firstWord, readArguments, usage } from './arguments.js';
import { CommandError, EXIT } from './exit.js';
import { withFleet } from './fleet-connection.js';
import { fleetPolicy } from './fleet-policy.js';
import { fleetDecisions, fleetTop, fleetWhoDies } from './fleet-questions.js';
import { fleetRecordings, fleetWhatIf, fleetWorker } from './fleet-what-if.js';
import { commandHelp } from './help.js';
import { openNewFile } from './new-file.js';
import type { Values } from './options.js';
import { writeLines } from './output.js';

/** What each word does with those after it. */
const WORDS: { readonly [word: string]: (operands: readonly string[], values: Values) => Promise<void> } = {
  setup,
  key,
  policy: fleetPolicy,
  top: fleetTop,
  'who-dies': fleetWhoDies,
  decisions: fleetDecisions,
  recordings: fleetRecordings,
  'what-if': fleetWhatIf,
  worker: fleetWorker,
};

async function setup([extra]: readonly string[], values: Values): Promise<void> {
  if (extra !== undefined) throw usage(`fleet setup: nothing may follow, got ${JSON.stringify(extra)}`);
  await withFleet(values, (fleet) => fleet.setUp());
  await writeLines(['the stream badness and the bucket badness-policy are there']);
}

/** The private key into a file that only its owner reads; the public one to standard output. */
async function key([path, ...extra]: readonly string[]): Promise<void> {
  if (path === undefined || extra.length > 0) throw usage('fleet key: expected one FILE for the private key');
  const { newSigningKey } = await import('../fleet/index.js');
  const { pem, trust } = newSigningKey();
  const file = openNewFile(path, false);
  file.write(pem);
  file.keep();
  await writeLines(['[fleet]', `trust = ["${trust}"]`]);
}

/** Names that the fleet's part of the library gives errors, by the exit code that they have here. */
const NO_FLEET = ['ENOPACKAGE', 'ECREDENTIALS', 'EACCES', 'ECONNREFUSED', 'ENOFLEET'];
const REFUSED = ['ESIGNATURE', 'EENVELOPE', 'EKEY', 'EKEYFILE', 'ENOKEY', 'EBUSY', 'ENODATA', 'ENOENT', 'EINTR'];

function refusal(error: unknown): unknown {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  if (NO_FLEET.includes(code)) return new CommandError(EXIT.noFleet, message);
  if (REFUSED.includes(code)) return new CommandError(EXIT.fleetRefused, message);
  return error;
}

/** Runs the command. `argv` is what follows its name. */
export async function fleet(argv: string[]): Promise<void> {
  const { values, positionals } = readArguments('fleet', argv);
  if (values.help) return writeLines(commandHelp('fleet'));
  const [word, ...operands] = positionals;
  const action = firstWord('fleet', word, Object.keys(WORDS));
  try {
    await WORDS[action]!(operands, values);
  } catch (error) {
    throw refusal(error);
  }
}
