// node scripts/bench.mjs [peers] [RIG …]: runs the benches and writes tests/bench/RESULTS.md; with the word "peers" those beside other daemons
// too; rigs that are named run alone, and write nothing. Wants dist/ built.
import { runBenches } from '../tests/bench/run.mjs';

const words = process.argv.slice(2);
process.exitCode = await runBenches(
  words.filter((word) => word !== 'peers'),
  { peers: words.includes('peers') },
);
