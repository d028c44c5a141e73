/** /proc/PID/{stat,statm,status}: the engine's parsers, every build, and the host's own short one. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as L from '../../../assembly/layout.js';
import { parseTaskStat } from '../../../src/proc/task-stat.js';
import { referenceStat } from '../../reference/proc.js';
import { check, FILLS, HZ, NUMBERS, PARSERS, type Parser, SAMPLES } from '../../src/support/parser-check.js';
import type { Target } from '../target.js';

const WORDS = [
  ...[
    '(',
    ')',
    ') S ',
    ') Z 1 1 1',
    ' ',
    '\t',
    '\n',
    '\0',
    '-',
    '(a) b) R ',
    '0 ',
    ' 0 0 0 0 0 0 0 0 0 0 0 0',
    '9007199254740993 ',
  ],
  ...[
    'VmSize:\t',
    'VmRSS:\t',
    'RssAnon:\t',
    'RssShmem:\t',
    'VmSwap:\t',
    'VmPTE:\t',
    'VmPMD:\t',
    'Uid:\t0\t0\t0\t0\n',
    'CapEff:\t',
  ],
  ...[
    ' kB\n',
    'Name:\tx\n',
    'Groups:\t',
    '0000000000000000\n',
    'ffffffffffffffff\n',
    '4 24 ',
    ': ',
    '\nUid',
    'Size:',
    'mSize:',
    'hmem: ',
  ],
];

const number = fc.oneof(
  fc.nat(9),
  fc.nat(),
  fc.constantFrom('-1', '', '-', '18446744073709551615', '9007199254740992', '9007199254740993'),
);
const name = fc.oneof(
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  fc.string({ unit: fc.constantFrom(...'() \n\tSRZ01'), maxLength: 20 }),
);

/** A line of stat, all fields there or all but some. */
const statShape = fc
  .tuple(number, name, fc.constantFrom('S', 'R', 'Z', 'D', '0', ''), fc.array(number, { minLength: 18, maxLength: 50 }))
  .map(([pid, comm, state, fields]) => `${pid} (${comm}) ${state} ${fields.join(' ')}\n`);
const statmShape = fc.array(number, { maxLength: 8 }).map((fields) => `${fields.join(' ')}\n`);
const KEYS = [
  'Name',
  'VmSize',
  'VmRSS',
  'RssAnon',
  'RssFile',
  'RssShmem',
  'VmPTE',
  'VmPMD',
  'VmSwap',
  'Threads',
  'State',
  'Groups',
];
const statusLine = fc
  .tuple(
    fc.constantFrom(...KEYS),
    fc.constantFrom('\t', ' ', '\t   ', ''),
    number,
    fc.constantFrom(' kB', '', ' ', '\tkB'),
  )
  .map(([key, blank, value, unit]) => `${key}:${blank}${value}${unit}\n`);
const statusShape = fc
  .tuple(name, fc.array(statusLine, { maxLength: 14 }), fc.array(number, { maxLength: 4 }), fc.bigInt(0n, 2n ** 66n))
  .map(
    ([comm, lines, uids, caps]) =>
      `Name:\t${comm}\n${lines.join('')}Uid:\t${uids.join('\t')}\nCapEff:\t${caps.toString(16)}\n`,
  );

const SHAPES = [statShape, statmShape, statusShape];

/** Inputs with the same bytes around them: another filling costs more than a parse. */
const INPUTS_A_FILL = 512;
let inputs = 0;

function targetOf(parser: Parser, shaped: fc.Arbitrary<string>): Target {
  return {
    name: parser.name,
    seeds: [SAMPLES.get(parser)!],
    words: WORDS,
    shaped,
    // What does not fit into the engine's window is cut off before it is parsed.
    longest: L.TEXT_BYTES,
    check(input) {
      inputs += 1;
      const fill = FILLS[Math.floor(inputs / INPUTS_A_FILL) % FILLS.length]!;
      const { answer, cells } = check(parser, input, fill);
      return answer * 100 + cells.size;
    },
  };
}

export const [procStat, procStatm, procStatus] = PARSERS.map((parser, index) => targetOf(parser, SHAPES[index]!)) as [
  Target,
  Target,
  Target,
];

/** The killer's own parser says of every text that the reference takes what the reference says. */
export const taskStat: Target = {
  name: 'task-stat',
  seeds: [`512 (npm i) S ${NUMBERS} 0\n`],
  words: WORDS.slice(0, 13),
  shaped: statShape,
  check(input) {
    const found = parseTaskStat(input);
    const expected = referenceStat(input, HZ);
    // It needs more fields than the reference, and one blank between two: of what no kernel writes nothing is said.
    const isKernels = [...input.slice(input.lastIndexOf(')'), -1)].every((byte) => byte >= ' ');
    if (expected.answer !== L.OK || found === null || !isKernels) return `${found === null} ${expected.answer}`;
    const cell = (field: number) => expected.cells.get(field);
    assert.equal(found.state.charCodeAt(0), cell(L.FIELD_STATE));
    assert.equal(Math.max(0, found.ppid), cell(L.FIELD_PPID));
    assert.equal(Math.max(0, found.sid), cell(L.FIELD_SID));
    assert.equal(Math.max(0, found.startTicks), cell(L.FIELD_START_TIME_TICKS));
    assert.equal(found.kernelThread, (cell(L.FIELD_PF_FLAGS)! & L.PF_KTHREAD) !== 0);
    assert.equal(found.comm.slice(0, L.COMM_BYTES - 1).replace(/\0.*$/s, ''), expected.comm!.replace(/\0.*$/s, ''));
    return found.state;
  },
};
