/** Stage: none (facts). `badness doctor`: what this machine lets a killer do, and what it will miss. Looks only. */
import {
  doctorLines,
  doctorToJson,
  loadNative,
  type NativeLoad,
  readDoctorFacts,
  readMachine,
} from '../linux/index.js';
import { readArguments, refuseOperands, usage } from './arguments.js';
import { commandHelp } from './help.js';
import { writeLines } from './output.js';
import { screenOf, wrapped } from './table.js';

/** Loads koffi, or says why not. What the environment asks for is checked like the rest of the command line. */
export async function nativeCalls(native?: 'auto' | 'none'): Promise<NativeLoad> {
  try {
    return await loadNative(native ? { native } : {});
  } catch (error) {
    if (error instanceof RangeError) throw usage(`BADNESS_NATIVE: ${error.message}`);
    throw error;
  }
}

/** Runs the command. `argv` is what follows its name. */
export async function doctor(argv: string[]): Promise<void> {
  const { values, positionals } = readArguments('doctor', argv);
  if (values.help) return writeLines(commandHelp('doctor'));
  refuseOperands('doctor', positionals);
  // Says in words where there is no Linux to be looked at.
  readMachine();
  const facts = readDoctorFacts(await nativeCalls());
  const { width } = screenOf(process.stdout);
  const lines = doctorLines(facts).flatMap((line) => wrapped(line, width));
  await writeLines(values.json ? [JSON.stringify(doctorToJson(facts))] : lines);
}
