/**
 * Stage: none (files). The text of a scenario file (TOML) comes in, a frozen scenario goes out, or an error with a line for
 * everything that is wrong. Keys are those of defineScenario in small letters with `_`; what each may hold is said there.
 */
import { type FileKind, type PolicyProblem, Problems, TextFileError } from '../policy/policy-problems.js';
import { respelled, type Table } from '../policy/policy-tables.js';
import { snake } from '../policy/spelling.js';
import { checkVersion, parseToml } from '../policy/toml-text.js';
import { checkKeys } from './file-keys.js';
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

const SCENARIO_KIND: FileKind = {
  path: (path) => snake(path.replace(/^scenario\.?/, '')),
  words: (words) => words.replaceAll('scenario.', '').replace(/\b[a-z]+(?:[A-Z][a-z]*)+\b/g, snake),
  error: (name, problems) => new ScenarioFileError(name, problems),
};

const WITHIN = { machine: machineShape, task: castShape };

/** Reads the text of a scenario file. `name` stands in messages. Rejects with ScenarioFileError. */
export async function parseScenario(text: string, name = 'scenario'): Promise<Scenario> {
  const { version, ...others } = await parseToml(text, name, SCENARIO_KIND);
  const problems = new Problems(text, SCENARIO_KIND);
  checkVersion(version, SCENARIO_VERSION, problems);
  // Of a newer file nobody knows what its keys mean.
  problems.throwIfAny(name);
  const input = respelled(others, '', problems) as Table;
  await checkKeys(input, 'scenario', scenarioShape, WITHIN, problems);
  problems.throwIfAny(name);
  let scenario: Scenario | undefined;
  await problems.attempt(() => {
    scenario = defineScenario(input as unknown as ScenarioInput);
  });
  problems.throwIfAny(name);
  return scenario!;
}
