// Runs the benches and writes tests/bench/RESULTS.md; with the word "peers" those beside other daemons too. Wants dist/ built.
import { runBenches } from '../tests/bench/run.mjs';

process.exitCode = await runBenches({ peers: process.argv[2] === 'peers' });
