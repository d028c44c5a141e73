/** Files that say how short memory is, read as a guard reads them: on a kept descriptor, over what an earlier reading has left. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { FileCalls } from '../../../src/linux/file-calls.js';
import { KeptFile } from '../../../src/linux/kept-file.js';
import { MeminfoReader } from '../../../src/linux/meminfo.js';
import type { MemoryState } from '../../../src/pressure/memory-state.js';
import { CgroupMemory } from '../../../src/proc/cgroup-memory.js';
import type { ProcFiles } from '../../../src/proc/proc-files.js';
import { type Psi, parsePsi } from '../../../src/proc/psi.js';
import { type ReferenceState, referenceGroup, referenceMeminfo, referencePsi } from '../../reference/memory-files.js';
import { DESKTOP, meminfoText } from '../../src/support/pressure-fixtures.js';
import { bytesOf, refusal, type Target } from '../target.js';

/** Files in memory: a descriptor is the place of a path. */
class MemoryFiles implements FileCalls {
  readonly #paths: string[] = [];
  readonly texts = new Map<string, string>();

  readonly open = (path: string): number => this.#paths.push(path) - 1;
  readonly readerInto: FileCalls['readerInto'] = (into) => (fd, at, length, position) =>
    bytesOf(this.texts.get(this.#paths[fd]!)!).copy(into, at, position, position + length);
  readonly pidsIn = () => () => [];
  readonly close = (): void => {};
  readonly reserve = (): void => {};
}

function plain({ totalKib, availableKib, basisKib, swapTotalKib, swapFreeKib }: MemoryState): ReferenceState {
  return { totalKib, availableKib, basisKib, swapTotalKib, swapFreeKib };
}

/** What a reader gives; null for a refusal by name, which is told apart in `kind`. */
function attempt(read: () => MemoryState): { state: ReferenceState | null; kind: string } {
  try {
    return { state: plain(read()), kind: 'read' };
  } catch (error) {
    return { state: null, kind: refusal(error, 'EBADMSG') };
  }
}

/** Of two lines of one name a reader that has been here before may take the other one. */
const saysTwice = (text: string, keys: readonly string[]) => keys.some((key) => text.split(key).length > 2);

const MEMINFO_KEYS = [
  'MemTotal:',
  'MemAvailable:',
  'AnonPages:',
  'SwapTotal:',
  'SwapFree:',
  'MemFree:',
  'Hugetlb:',
  'Cached:',
  'Shmem:',
];
const number = fc.oneof(
  fc.nat(9),
  fc.nat(),
  fc.constantFrom('', '-1', '9007199254740991', '9007199254740992', 'max', '0x1'),
);
const meminfoLine = fc
  .tuple(
    fc.constantFrom(...MEMINFO_KEYS),
    fc.constantFrom('        ', ' ', ''),
    number,
    fc.constantFrom(' kB\n', '\n', ' kB', ' MB\n'),
  )
  .map((parts) => parts.join(''));

const files = new MemoryFiles();
const MEMINFO = '/p/meminfo';
files.texts.set(MEMINFO, '');
const kept = new MeminfoReader('/p', files);

export const meminfo: Target = {
  name: 'meminfo',
  seeds: [meminfoText(DESKTOP), meminfoText({ ...DESKTOP, swapTotal: 1000, swapFree: 10 })],
  words: [...MEMINFO_KEYS, ' kB\n', '\n', ' ', '\0', '-', 'kB', '  1 kB\nMemTotal: 2 kB\n'],
  shaped: fc.array(meminfoLine, { maxLength: 12 }).map((lines) => lines.join('')),
  // Longer files are refused by name.
  longest: 1 << 19,
  check(input) {
    files.texts.set(MEMINFO, input);
    const expected = referenceMeminfo(input);
    const { state, kind } = attempt(() => new MeminfoReader('/p', files).read());
    assert.deepEqual(state, expected);
    const again = attempt(() => kept.read());
    if (!saysTwice(input, MEMINFO_KEYS))
      assert.deepEqual(again.state, expected, `over an earlier reading: ${again.kind}`);
    return kind;
  },
};

const PARTS = [
  ...(['memory.max', 'memory.high', 'memory.current', 'memory.stat'] as const),
  ...(['memory.swap.max', 'memory.swap.current'] as const),
] as const;
const STAT = 'anon 1000000\nfile 2000000\ninactive_file 500000\nactive_file 700000\nslab_reclaimable 40960\n';
const GROUP = ['1073741824\n', 'max\n', '900000000\n', STAT, 'max\n', '4096\n'];
const SEPARATOR = '\f';
const SWAP = { swapTotalKib: 1_000_000, swapFreeKib: 300_000 };
const groupFiles = {
  exists: () => true,
  keep: (path: string) => new KeptFile(path, files),
} as unknown as ProcFiles;
for (const [index, name] of PARTS.entries()) files.texts.set(`/g/${name}`, GROUP[index]!);
const keptGroup = new CgroupMemory(groupFiles, { dir: '/g', version: 2 }, () => SWAP);
const STAT_KEYS = ['inactive_file ', 'active_file ', 'anon ', 'slab_reclaimable '];
const statLine = fc
  .tuple(fc.constantFrom(...STAT_KEYS), number, fc.constantFrom('\n', '', ' \n'))
  .map((parts) => parts.join(''));

/** The files of a group, one after the other. */
export const cgroupMemory: Target = {
  name: 'cgroup',
  seeds: [GROUP.join(SEPARATOR), ['max\n', '536870912\n', '0\n', STAT, '0\n', '0\n'].join(SEPARATOR)],
  words: [...STAT_KEYS, 'max', '\n', '\f', ' ', '-', '9223372036854771712\n', '\x85', '\xa0', '\0'],
  shaped: fc
    .tuple(fc.tuple(number, number, number), fc.array(statLine, { maxLength: 6 }), fc.tuple(number, number))
    .map(([before, stat, behind]) => [...before, stat.join(''), ...behind].join(`\n${SEPARATOR}`)),
  longest: 1 << 19,
  check(input) {
    const parts = input.split(SEPARATOR);
    const [limit, high, usage, stat, swapLimit, swapUsage] = PARTS.map((_, index) => parts[index] ?? '');
    for (const [index, name] of PARTS.entries()) files.texts.set(`/g/${name}`, parts[index] ?? '');
    const expected = referenceGroup({
      ...{ limit: limit!, high: high!, usage: usage!, stat: stat! },
      ...{ swapLimit: swapLimit!, swapUsage: swapUsage! },
      ...SWAP,
    });
    const { state, kind } = attempt(() => new CgroupMemory(groupFiles, { dir: '/g', version: 2 }, () => SWAP).read());
    assert.deepEqual(state, expected);
    if (!saysTwice(stat!, STAT_KEYS))
      assert.deepEqual(attempt(() => keptGroup.read()).state, expected, 'over an earlier reading');
    return kind;
  },
};

function numbersOf({ some, full }: Psi): Map<string, number> {
  const named = (kind: string, line: Psi['some']): [string, number][] => [
    [`${kind}.avg10`, line.avg10],
    [`${kind}.avg60`, line.avg60],
    [`${kind}.avg300`, line.avg300],
    [`${kind}.total`, line.totalUs],
  ];
  return new Map([...named('some', some), ...named('full', full)]);
}

const average = fc.oneof(
  fc.constantFrom('0.00', '99.99', '1.0', '1.000', '-1.00', 'NaN', ''),
  fc.nat(99).map((whole) => `${whole}.17`),
);
const psiLine = fc
  .tuple(fc.constantFrom('some', 'full', 'none'), average, average, average, number)
  .map(([kind, ten, sixty, three, total]) => `${kind} avg10=${ten} avg60=${sixty} avg300=${three} total=${total}\n`);

export const psi: Target = {
  name: 'psi',
  seeds: ['some avg10=0.00 avg60=0.12 avg300=0.05 total=123456\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=99\n'],
  words: ['some ', 'full ', 'avg10=', 'avg60=', 'avg300=', 'total=', '\n', ' ', '0.00', '.', '=', '\r'],
  shaped: fc.array(psiLine, { maxLength: 4 }).map((lines) => lines.join('')),
  check(input) {
    const found = parsePsi(input);
    const expected = referencePsi(input);
    assert.deepEqual(found && new Map([...numbersOf(found)].sort()), expected && new Map([...expected].sort()));
    return `${found !== null} ${input.split('\n').length}`;
  },
};
