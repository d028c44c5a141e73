// Runs the benches and writes tests/bench/RESULTS.md. Wants dist/ built.
import { runBenches } from '../tests/bench/run.mjs';

process.exitCode = await runBenches();
