// fast-check with a seed that the tests choose: the same inputs in every run, so that a red run is the fault of a change.
// `npm run fuzz` looks for new ones; FC_SEED repeats a run or begins another, FC_RUNS makes it longer.
import fc from 'fast-check';

export const SEED = Number(process.env.FC_SEED ?? 2004);
export const RUNS = Number(process.env.FC_RUNS ?? 100);

fc.configureGlobal({ seed: SEED });

export default fc;
