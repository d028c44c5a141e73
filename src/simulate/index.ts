/** Simulations: scenarios under policies, in virtual time, by the guard's own code. Re-exports only; nothing reachable from here imports `node:`. */
export type { PolicyProblem } from '../policy/policy-problems.js';
export { type Contender, type ContestOptions, type ContestRow, contest } from './contest.js';
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
export type { SimFigures, SimKill, SimSample } from './sim-figures.js';
export { notPlayed, type SimResult, type SimulateOptions, simulate } from './simulate.js';
