/**
 * Stage: none (files). The text of a scenario file (TOML) comes in, a frozen scenario goes out, or an error with a line for
 * everything that is wrong. Keys are those of defineScenario in small letters with `_`; what each may hold is said there.
 */
import { type PolicyProblem, TextFileError } from '../policy/policy-problems.js';
import { readChecked } from './file-keys.js';
import {
  castShape,
  defineScenario,
  machineShape,
  type Scenario,
  type ScenarioInput,
  scenarioShape,
} from './scenario.js';

/** Of the scenario files that this badness reads. */
export const SCENARIO_VERSION = 1;

/** `ESCENARIO`: the text is no scenario file. The message has one line for each problem, with the name of the file and the line. */
export class ScenarioFileError extends TextFileError {
  constructor(name: string, problems: readonly PolicyProblem[]) {
    super('ESCENARIO', name, problems);
    this.name = 'ScenarioFileError';
  }
}

/** Reads the text of a scenario file. `name` stands in messages. Rejects with ScenarioFileError. */
export function parseScenario(text: string, name = 'scenario'): Promise<Scenario> {
  return readChecked(text, name, {
    root: 'scenario',
    version: SCENARIO_VERSION,
    shape: scenarioShape,
    within: { machine: machineShape, task: castShape },
    error: (...found) => new ScenarioFileError(...found),
    define: (input) => defineScenario(input as unknown as ScenarioInput),
  });
}
