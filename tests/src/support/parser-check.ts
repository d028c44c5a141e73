// One text through a parser of /proc on every release build: answer, cells, comm and everything around held against the plain reference.

import assert from 'node:assert/strict';
import * as L from '../../../assembly/layout.js';
import { type Parsed, referenceStat, referenceStatm, referenceStatus } from '../../reference/proc.js';
import { releaseBuilds, windowAt } from './builds.js';

export const HZ = 250;
export const PAGE_SIZE = 4096;
export const NUMBERS =
  '547891 5 -1 34816 -1 4194304 981 12 3 0 417 77 0 0 20 -5 23 0 87155 1102934016 65528 18446744073709551615 1';
const STATUS = `Name:\tnpm i\nUmask:\t0022\nState:\tS (sleeping)\nPPid:\t547891\nUid:\t1000\t1001\t1002\t1003\nGroups:\t4 24 \nVmPeak:\t  99999 kB
VmSize:\t 1077084 kB\nVmRSS:\t  262112 kB\nRssAnon:\t  200004 kB\nRssFile:\t   4000 kB\nRssShmem:\t      12 kB\nVmPTE:\t     868 kB
VmPMD:\t      16 kB\nVmSwap:\t     128 kB\nThreads:\t23\nSigQ:\t0/96365\nCapPrm:\t0000000000000000\nCapEff:\t000001ff80000001\n`;
const STATM = '269271 14320 9811 1 0 31984 0\n';

export interface Parser {
  name: string;
  reference(text: string): Parsed;
  call(abi: (typeof openBuilds)[number]['abi'], w: number, length: number): number;
  /** Every cell that the parser may write. */
  owns: number[];
}

export const openBuilds = releaseBuilds.map((build) => {
  const opened = build.open(1);
  // The window of the parser, with one before and one behind it.
  const around = Buffer.from(opened.memory.buffer, windowAt(0), 3 * L.WINDOW_BYTES);
  return { name: build.name, ...opened, around };
});
const WINDOW = windowAt(1);

const CELLS_STAT = [
  L.FIELD_KIND,
  L.FIELD_TGID,
  L.FIELD_ID_HI,
  L.FIELD_PPID,
  L.FIELD_SID,
  L.FIELD_STATE,
  L.FIELD_THREADS,
].concat(
  [L.FIELD_RSS_PAGES, L.FIELD_UTIME_JIFFIES, L.FIELD_STIME_JIFFIES, L.FIELD_START_TIME_TICKS, L.FIELD_NICE],
  [L.FIELD_PF_FLAGS, L.FIELD_STAT_RSS_PAGES],
);
const CELLS_STATUS = [L.FIELD_TOTAL_VM_PAGES, L.FIELD_RSS_PAGES, L.FIELD_RSS_ANON_PAGES].concat(
  [L.FIELD_RSS_SHMEM_PAGES, L.FIELD_SWAP_PAGES, L.FIELD_PGTABLES_BYTES, L.FIELD_UID, L.FIELD_EUID, L.FIELD_CAP_LO],
  // The spare cell behind the last field holds VmPMD for a moment.
  [L.FIELD_CAP_HI, L.FIELD_SCRATCH],
);

export const STAT_PARSER: Parser = {
  name: 'stat',
  reference: (text) => referenceStat(text, HZ),
  call: (abi, w, length) => abi.stat_parse!(w, length, HZ),
  owns: CELLS_STAT,
};
export const STATM_PARSER: Parser = {
  name: 'statm',
  reference: referenceStatm,
  call: (abi, w, length) => abi.statm_parse!(w, length),
  owns: [L.FIELD_TOTAL_VM_PAGES, L.FIELD_RSS_PAGES],
};
export const STATUS_PARSER: Parser = {
  name: 'status',
  reference: (text) => referenceStatus(text, PAGE_SIZE),
  call: (abi, w, length) => abi.status_parse!(w, length, PAGE_SIZE),
  owns: CELLS_STATUS,
};
export const PARSERS = [STAT_PARSER, STATM_PARSER, STATUS_PARSER];
export const SAMPLES = new Map([
  [STAT_PARSER, `512 (npm i) S ${NUMBERS} 0\n`],
  [STATM_PARSER, STATM],
  [STATUS_PARSER, STATUS],
]);

/** What stands around the text: a byte read behind it by mistake would continue a number (7), or end one. */
export const FILLS = [...'7 \n\t'].map((c) => c.charCodeAt(0));

let filled = Number.NaN;
let untouched = Buffer.alloc(0);

function fillAll(fill: number): void {
  if (fill === filled) return;
  untouched = Buffer.alloc(3 * L.WINDOW_BYTES, fill);
  for (const { around } of openBuilds) around.fill(fill);
  filled = fill;
}

/** Parses `text` on every build; checks answer, cells, comm and everything around against the reference. */
export function check(parser: Parser, text: string, fill = FILLS[0]!): Parsed {
  const expected = parser.reference(text);
  fillAll(fill);
  try {
    for (const build of openBuilds) checkBuild(build, parser, text, expected);
  } catch (error) {
    filled = Number.NaN;
    throw error;
  }
  return expected;
}

function checkBuild(
  { name, abi, memory, around }: (typeof openBuilds)[number],
  parser: Parser,
  text: string,
  expected: Parsed,
): void {
  const fillCell = new DataView(untouched.buffer, untouched.byteOffset).getFloat64(0, true);
  const where = () => `${parser.name} on ${name}: ${JSON.stringify(text)}`;
  const textAt = L.WINDOW_BYTES + L.W_TEXT;
  const bytes = Buffer.from(text, 'latin1');
  bytes.copy(around, textAt);
  const answer = parser.call(abi, WINDOW, bytes.length);
  if (answer !== expected.answer) assert.equal(answer, expected.answer, where());

  const view = new DataView(memory.buffer, WINDOW, L.WINDOW_BYTES);
  for (let field = 0; field < L.FIELDS; field++) {
    const at = L.W_FIELDS + field * L.FIELD_BYTES;
    const value = view.getFloat64(at, true);
    const wanted = answer >= 0 ? expected.cells.get(field) : undefined;
    const isRight = wanted === undefined ? value === fillCell || parser.owns.includes(field) : Object.is(value, wanted);
    if (!isRight) assert.fail(`${where()}: cell ${field} is ${value}, not ${wanted ?? 'left alone'}`);
    view.setFloat64(at, fillCell, true);
  }
  const comm = around.subarray(L.WINDOW_BYTES + L.W_COMM, L.WINDOW_BYTES + L.W_COMM + L.COMM_BYTES);
  if (answer >= 0 && expected.comm !== undefined) assert.equal(comm.toString('latin1'), expected.comm);
  if (parser === STAT_PARSER) comm.fill(filled);
  if (!around.subarray(textAt, textAt + bytes.length).equals(bytes)) assert.fail(`${where()}: the text was changed`);
  around.fill(filled, textAt, textAt + bytes.length);
  if (!around.equals(untouched)) assert.fail(`${where()}: something outside the staged cells was written`);
}
