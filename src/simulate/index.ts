/**
 * Simulations: scenarios under policies, in virtual time, by the guard's own code. Re-exports only; nothing reachable from here imports `node:`.
 *
 * @module badness/simulate
 */
export type { PolicyProblem } from '../policy/policy-problems.js';
export type { Case, Expectation } from './case.js';
export { CASES_VERSION, CaseFileError, parseCases } from './case-file.js';
export { type Contender, type ContestOptions, type ContestRow, contest } from './contest.js';
export { type Failure, type Judgeable, type Judged, judge } from './judge.js';
export { type CaseResult, playCase } from './play-case.js';
export { plotContest } from './plot.js';
export { resultToJson } from './result-json.js';
export {
  type Cast,
  type CastInput,
  type Curve,
  defineScenario,
  type Scenario,
  type ScenarioInput,
  type SimMachine,
} from './scenario.js';
export { parseScenario, SCENARIO_VERSION, ScenarioFileError } from './scenario-file.js';
export { casesSchema, scenarioSchema } from './schemas.js';
export type { SimFigures, SimKill, SimSample } from './sim-figures.js';
export type { KilledBy } from './sim-task.js';
export { castText, INIT } from './sim-texts.js';
export { notPlayed, type SimMoment, type SimResult, type SimulateOptions, simulate } from './simulate.js';
