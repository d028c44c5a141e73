// Real shortages in virtual machines: `npm run test:vm -- [--scenes a,b] [--contestants …] [--memory 256,512] [--swap 0,256] [--kernels 6.1]
// [--clock host] [--limit SECONDS] [--out FILE.ndjson] [--verbose]`. Without options: every scene, this project's guard, 256 MiB without swap;
// with `--table FILE.md --from A.ndjson,B.ndjson` nothing is run, and the page is written. docs/vm.md says what is needed.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { CLOCKS, qemuVersion } from '../tests/vm/machine.mjs';
import { CONTESTANTS, SCENES } from '../tests/vm/matrix.mjs';
import { fetchBase, KERNELS } from '../tests/vm/packages.mjs';
import { CannotRun, runMatrix } from '../tests/vm/run.mjs';
import { readRuns, tableOf } from '../tests/vm/table.mjs';

const TEXTS = ['scenes', 'contestants', 'memory', 'swap', 'kernels', 'clock', 'limit', 'out', 'table', 'from'];
const options = Object.fromEntries(TEXTS.map((name) => [name, { type: 'string' }]));
const { values } = parseArgs({ options: { ...options, verbose: { type: 'boolean', default: false } } });

/** The names between commas, each of those that there are; all of them for `all`. */
function chosen(option, fallback, known) {
  const names = values[option] === 'all' ? known : (values[option]?.split(',') ?? fallback);
  const strange = names.find((name) => !known.includes(name));
  if (strange !== undefined) throw new RangeError(`--${option} must be of ${known.join(', ')}, got ${strange}`);
  return names;
}

const mib = (option, fallback, known) => chosen(option, fallback, known).map(Number);

/** Runs what was asked for. Returns the exit code. */
async function run() {
  const sizes = mib('memory', ['256'], ['256', '512']);
  const swaps = mib('swap', ['0'], ['0', '256']);
  const failed = await runMatrix({
    scenes: chosen('scenes', Object.keys(SCENES), Object.keys(SCENES)),
    contestants: chosen('contestants', ['badness'], CONTESTANTS),
    guests: sizes.flatMap((memoryMib) => swaps.map((swapMib) => ({ memoryMib, swapMib }))),
    kernels: chosen('kernels', ['6.1'], Object.keys(KERNELS)),
    clock: chosen('clock', ['virtual'], Object.keys(CLOCKS))[0],
    limitS: Number(values.limit ?? 600),
    out: values.out,
    verbose: values.verbose,
  });
  return failed > 0 ? 1 : 0;
}

/** Writes the page about the runs of the files that are named, and beside it every raw value, without what guests said besides. */
function writeTable(files) {
  const { versions } = fetchBase();
  const runs = readRuns(files);
  const command = `npm run test:vm -- --table ${values.table} --from …`;
  writeFileSync(values.table, tableOf(runs, { versions, qemu: qemuVersion(), command }));
  const raw = runs.map(({ log: _, ...run }) => `${JSON.stringify(run)}\n`);
  writeFileSync(values.table.replace(/\.md$/, '.ndjson'), raw.join(''));
  return 0;
}

try {
  process.exitCode = values.table ? writeTable((values.from ?? '').split(',')) : await run();
} catch (error) {
  if (!(error instanceof CannotRun)) throw error;
  console.log(`skipped: ${error.message}`);
}
