/** Stage: report. `badness simulate`: scenarios under policies, in virtual time; nothing of this machine is touched. */
import { contest, plotContest, resultToJson, type Scenario } from '../simulate/index.js';
import { integer, readArguments, rowCount, usage } from './arguments.js';
import { contendersOf, openScenario } from './contenders.js';
import { commandHelp } from './help.js';
import { restBeforeExit } from './long-run.js';
import type { Values } from './options.js';
import { writeLines } from './output.js';
import { contestLines, timelineLines } from './simulate-words.js';
import { screenOf } from './table.js';
import { writeTextFile } from './text-file.js';

const LINES_USUAL = 16;
const SEED_MOST = 2 ** 32 - 1;
const RUNS_MOST = 1000;

function contestOptions({ seed, runs }: Values) {
  return {
    ...(seed === undefined ? {} : { seed: integer('--seed', seed, 0, SEED_MOST) }),
    ...(runs === undefined ? {} : { runs: integer('--runs', runs, 1, RUNS_MOST) }),
  };
}

/** Runs the command. `argv` is what follows its name. */
export async function simulate(argv: string[]): Promise<void> {
  const { values, positionals, repeated } = readArguments('simulate', argv);
  if (values.help) return writeLines(commandHelp('simulate'));
  if (positionals.length === 0) throw usage('simulate: expected a SCENARIO, got nothing; see badness simulate --help');
  if (values.svg !== undefined && positionals.length > 1)
    throw usage(`--svg is for one scenario, got ${positionals.length}`);
  const options = contestOptions(values);
  const count = rowCount(values) ?? LINES_USUAL;
  const contenders = await contendersOf(repeated.policy ?? [], repeated.scheme ?? []);
  // What is wrong with a file is said before anything is run.
  const scenarios: Scenario[] = [];
  for (const path of positionals) scenarios.push(await openScenario(path));
  const { width } = screenOf(process.stdout);
  for (const [index, scenario] of scenarios.entries()) {
    const rows = await contest(scenario, contenders, options);
    if (values.svg !== undefined) writeTextFile(values.svg, plotContest(scenario, rows));
    if (values.json) {
      await writeLines(rows.flatMap(({ name, runs }) => runs.map((run) => JSON.stringify(resultToJson(name, run)))));
      continue;
    }
    const timelines = rows.flatMap((row) => timelineLines(scenario, row, count, width));
    await writeLines([...(index > 0 ? ['', ''] : []), ...contestLines(scenario, rows, width), ...timelines]);
  }
  await restBeforeExit();
}
