// Real shortages in virtual machines: `npm run test:vm -- [--scenes a,b] [--contestants …] [--memory 256,512] [--swap 0,256] [--kernels 6.1]
// [--clock host] [--limit SECONDS] [--out FILE.ndjson] [--verbose]`. Without options: every scene, this project's guard, 256 MiB without swap;
// with `--table FILE.md --from A.ndjson,B.ndjson` nothing is run, and the page is written. docs/vm.md says what is needed.
import { parseArgs } from 'node:util';
import { CONTESTANTS, SCENES } from '../tests/vm/matrix.mjs';
import { CannotRun, runMatrix } from '../tests/vm/run.mjs';

const text = { type: 'string' };
const { values } = parseArgs({
  options: {
    ...{
      scenes: text,
      contestants: text,
      memory: text,
      swap: text,
      kernels: text,
      clock: text,
      limit: text,
      out: text,
    },
    verbose: { type: 'boolean', default: false },
  },
});

/** The names between commas, each of those that there are; all of them for `all`. */
function chosen(option, fallback, known) {
  const names = values[option] === 'all' ? known : (values[option]?.split(',') ?? fallback);
  const strange = names.find((name) => !known.includes(name));
  if (strange !== undefined) throw new RangeError(`--${option} must be of ${known.join(', ')}, got ${strange}`);
  return names;
}

const mib = (option, fallback, known) => chosen(option, fallback, known).map(Number);
const sizes = mib('memory', ['256'], ['256', '512']);
const swaps = mib('swap', ['0'], ['0', '256']);

try {
  const failed = await runMatrix({
    scenes: chosen('scenes', Object.keys(SCENES), Object.keys(SCENES)),
    contestants: chosen('contestants', ['badness'], CONTESTANTS),
    guests: sizes.flatMap((memoryMib) => swaps.map((swapMib) => ({ memoryMib, swapMib }))),
    kernels: chosen('kernels', ['6.1'], ['6.1', '6.12', '5.10']),
    clock: chosen('clock', ['virtual'], ['virtual', 'host'])[0],
    limitS: Number(values.limit ?? 600),
    out: values.out,
    verbose: values.verbose,
  });
  process.exitCode = failed > 0 ? 1 : 0;
} catch (error) {
  if (!(error instanceof CannotRun)) throw error;
  console.log(`skipped: ${error.message}`);
}
