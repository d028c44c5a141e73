// The parsers of /proc/PID/{stat,statm,status} against the plain reference, on every release build.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as L from '../../assembly/layout.js';
import { type Parsed, referenceStat, referenceStatm, referenceStatus } from '../reference/proc.js';
import { releaseBuilds, windowAt } from './support/builds.js';

const HZ = 250;
const PAGE_SIZE = 4096;
const NUMBERS =
  '547891 5 -1 34816 -1 4194304 981 12 3 0 417 77 0 0 20 -5 23 0 87155 1102934016 65528 18446744073709551615 1';
const STATUS = `Name:\tnpm i\nUmask:\t0022\nState:\tS (sleeping)\nPPid:\t547891\nUid:\t1000\t1001\t1002\t1003\nGroups:\t4 24 \nVmPeak:\t  99999 kB
VmSize:\t 1077084 kB\nVmRSS:\t  262112 kB\nRssAnon:\t  200004 kB\nRssFile:\t   4000 kB\nRssShmem:\t      12 kB\nVmPTE:\t     868 kB
VmPMD:\t      16 kB\nVmSwap:\t     128 kB\nThreads:\t23\nSigQ:\t0/96365\nCapPrm:\t0000000000000000\nCapEff:\t000001ff80000001\n`;
const STATM = '269271 14320 9811 1 0 31984 0\n';

interface Parser {
  name: string;
  reference(text: string): Parsed;
  call(abi: (typeof openBuilds)[number]['abi'], w: number, length: number): number;
  /** Every cell that the parser may write. */
  owns: number[];
}

const openBuilds = releaseBuilds.map((build) => ({ name: build.name, ...build.open(1) }));

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

const STAT_PARSER: Parser = {
  name: 'stat',
  reference: (text) => referenceStat(text, HZ),
  call: (abi, w, length) => abi.stat_parse!(w, length, HZ),
  owns: CELLS_STAT,
};
const STATM_PARSER: Parser = {
  name: 'statm',
  reference: referenceStatm,
  call: (abi, w, length) => abi.statm_parse!(w, length),
  owns: [L.FIELD_TOTAL_VM_PAGES, L.FIELD_RSS_PAGES],
};
const STATUS_PARSER: Parser = {
  name: 'status',
  reference: (text) => referenceStatus(text, PAGE_SIZE),
  call: (abi, w, length) => abi.status_parse!(w, length, PAGE_SIZE),
  owns: CELLS_STATUS,
};
const PARSERS = [STAT_PARSER, STATM_PARSER, STATUS_PARSER];
const SAMPLES = new Map([
  [STAT_PARSER, `512 (npm i) S ${NUMBERS} 0\n`],
  [STATM_PARSER, STATM],
  [STATUS_PARSER, STATUS],
]);

/** What stands around the text: a byte read behind it by mistake would continue a number (7), or end one. */
const FILLS = [...'7 \n\t'].map((c) => c.charCodeAt(0));

/** Parses `text` on every build; checks answer, cells, comm and everything around against the reference. */
function check(parser: Parser, text: string, fill = FILLS[0]!): Parsed {
  const expected = parser.reference(text);
  const fillCell = new DataView(new Uint8Array(8).fill(fill).buffer).getFloat64(0, true);
  for (const { name, abi, memory } of openBuilds) {
    const w = windowAt(1);
    const around = Buffer.from(memory.buffer, w - L.WINDOW_BYTES, 3 * L.WINDOW_BYTES);
    around.fill(fill);
    const bytes = Buffer.from(text, 'latin1');
    bytes.copy(around, L.WINDOW_BYTES + L.W_TEXT);
    const answer = parser.call(abi, w, bytes.length);
    const where = `${parser.name} on ${name}: ${JSON.stringify(text)}`;
    assert.equal(answer, expected.answer, where);

    const view = new DataView(memory.buffer, w, L.WINDOW_BYTES);
    for (let field = 0; field < L.FIELDS; field++) {
      const at = L.W_FIELDS + field * L.FIELD_BYTES;
      const value = view.getFloat64(at, true);
      const wanted = expected.cells.get(field);
      if (answer >= 0 && wanted !== undefined)
        assert.ok(Object.is(value, wanted), `${where}: cell ${field} is ${value}`);
      else if (!parser.owns.includes(field)) assert.equal(value, fillCell, `${where}: cell ${field} was written`);
      around.fill(fill, L.WINDOW_BYTES + at, L.WINDOW_BYTES + at + L.FIELD_BYTES);
    }
    const comm = around.subarray(L.WINDOW_BYTES + L.W_COMM, L.WINDOW_BYTES + L.W_COMM + L.COMM_BYTES);
    if (answer >= 0 && expected.comm !== undefined) assert.equal(comm.toString('latin1'), expected.comm, where);
    if (parser === STAT_PARSER) comm.fill(fill);
    const textAt = L.WINDOW_BYTES + L.W_TEXT;
    assert.ok(around.subarray(textAt, textAt + bytes.length).equals(bytes), `${where}: the text was changed`);
    around.fill(fill, textAt, textAt + bytes.length);
    assert.ok(
      around.equals(Buffer.alloc(around.length, fill)),
      `${where}: something outside the staged cells was written`,
    );
  }
  return expected;
}

/** The file of every live process; those that vanish meanwhile are left out. */
function live(file: string): string[] {
  const texts: string[] = [];
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      texts.push(readFileSync(`/proc/${pid}/${file}`, 'latin1'));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ESRCH') throw error;
    }
  }
  return texts;
}

const HOSTILE_COMMS = [
  'gnome-shell',
  '',
  ': - )',
  '()()()())))(((()))()()',
  '   \n\n    ',
  'foo) Z ',
  'foo) Z',
  'foo)Z ',
].concat([
  'foo)\nZ\n',
  'foo)\tZ\t',
  'foo)  Z  ',
  ')',
  '(',
  ') R 1 1 1 1 1 1 1',
  '\xff\xfe\x80',
  'fifteen bytes ok',
  '12345678901234\xc3\xa9',
]);

describe('parsers', () => {
  for (const parser of PARSERS) {
    test(`${parser.name}: every live process reads as the reference reads it`, {
      skip: process.platform !== 'linux' && 'needs /proc',
    }, () => {
      const texts = live(parser.name);
      assert.ok(texts.length > 0);
      for (const text of texts) assert.ok(check(parser, text).answer >= 0, text);
    });

    test(`${parser.name}: a text cut off anywhere is refused as short until nothing wanted is missing`, () => {
      const sample = SAMPLES.get(parser)!;
      const answers = Array.from({ length: sample.length + 1 }, (_, length) => {
        const cut = sample.slice(0, length);
        return FILLS.map((fill) => check(parser, cut, fill).answer)[0]!;
      });
      const complete = answers.findIndex((answer) => answer >= 0);
      assert.ok(complete > 0);
      assert.deepEqual(new Set(answers.slice(0, complete)), new Set([L.E_SHORT]));
      assert.deepEqual(new Set(answers.slice(complete)), new Set([answers.at(-1)]));
    });

    test(`${parser.name}: random bytes answer as the reference does`, () => {
      const bytes = fc.uint8Array({ maxLength: 200 }).map((b) => Buffer.from(b).toString('latin1'));
      const alike = fc.string({ unit: fc.constantFrom(...' \t\n()-0159RZ:kBUid\0'), maxLength: 120 });
      fc.assert(
        fc.property(fc.oneof(bytes, alike), (text) => void check(parser, text)),
        { numRuns: 400 },
      );
    });

    test(`${parser.name}: mutated samples answer as the reference does`, () => {
      const sample = SAMPLES.get(parser)!;
      const patch = fc.oneof(
        fc.constantFrom('', ' ', '-', '\n', ')', '\0', 'x', '\t', ' kB\n', 'VmSize:\t1 kB\n', '\nUid:\t0\t0\t', 'f'),
        fc.constantFrom(
          '9007199254740992',
          '9007199254740993',
          '18446744073709551615',
          '18446744073709551616',
          '0'.repeat(300),
        ),
        fc.bigInt(0n, 2n ** 70n).map(String),
        fc.uint8Array({ maxLength: 4 }).map((b) => Buffer.from(b).toString('latin1')),
      );
      const edit = fc.tuple(fc.nat(sample.length), fc.nat(12), patch);
      const seen = new Map<number, number>();
      fc.assert(
        fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
          let text = sample;
          for (const [at, removed, inserted] of edits) text = text.slice(0, at) + inserted + text.slice(at + removed);
          const { answer } = check(parser, text);
          seen.set(answer, (seen.get(answer) ?? 0) + 1);
        }),
        { numRuns: 1500 },
      );
      // A differential that only ever sees refusals would prove little.
      assert.ok(
        [...seen].some(([answer, times]) => answer >= 0 && times >= 20) && seen.has(L.E_FORMAT),
        JSON.stringify([...seen]),
      );
    });
  }

  test('stat: no comm can fake a state or a number', () => {
    for (const comm of HOSTILE_COMMS) {
      const { answer, cells } = check(STAT_PARSER, `512 (${comm}) S ${NUMBERS} 0\n`);
      assert.equal(answer, L.OK, comm);
      const read = [L.FIELD_STATE, L.FIELD_PPID, L.FIELD_THREADS, L.FIELD_STAT_RSS_PAGES].map((field) =>
        cells.get(field),
      );
      assert.deepEqual(read, [0x53, 547891, 23, 65528], comm);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const comm = Buffer.from(bytes).toString('latin1');
        assert.equal(check(STAT_PARSER, `1 (${comm}) R ${NUMBERS} `).answer, L.OK);
      }),
      { numRuns: 300 },
    );
  });

  test('stat: what is no stat text is refused', () => {
    for (const text of ['', 'x', '\0\0\0', ')', '(', '1', '1 ', '1 (', '1 ()', '1 (a) ', '1 (a) S', ' 1 (a) S']) {
      assert.ok(check(STAT_PARSER, text).answer < 0, JSON.stringify(text));
    }
  });

  test('stat: nice is signed and never a negative zero, other negative numbers count as 0', () => {
    for (const nice of ['-20', '-1', '-0', '0', '19']) {
      const text = `512 (a) S ${NUMBERS.replace(' 20 -5 23 ', ` 20 ${nice} -3 `)} 0\n`;
      const { cells } = check(STAT_PARSER, text);
      assert.ok(Object.is(cells.get(L.FIELD_NICE), Number(nice) + 0), nice);
      assert.equal(cells.get(L.FIELD_THREADS), 0);
    }
  });

  test('stat: a task of 20 TB and more fits, 2^53 is the last number taken', () => {
    const rss = (value: string) => check(STAT_PARSER, `512 (a) S ${NUMBERS.replace('65528', value)} 0\n`);
    assert.equal(rss('5368709120').cells.get(L.FIELD_RSS_PAGES), 5368709120);
    assert.equal(rss('9007199254740992').answer, L.OK);
    assert.equal(rss('9007199254740993').answer, L.E_FORMAT);
    assert.equal(rss('18446744073709551616').answer, L.E_FORMAT);
    // vsize, in bytes, is nobody's concern and may be larger.
    assert.equal(
      check(STAT_PARSER, `512 (a) S ${NUMBERS.replace('1102934016', '18446744073709551615')} 0\n`).answer,
      L.OK,
    );
  });

  test('status: bit 31 of a capability word is a bit, not a sign', () => {
    const { cells } = check(STATUS_PARSER, 'Name:\tx\nUid:\t4294967295\t4294967295\t0\t0\nCapEff:\tffffffff80000000\n');
    assert.deepEqual(
      [L.FIELD_UID, L.FIELD_CAP_LO, L.FIELD_CAP_HI].map((f) => cells.get(f)),
      [4294967295, 0x80000000, 0xffffffff],
    );
  });

  test('status: capabilities are lower-case hexadecimal digits and nothing else', () => {
    for (const digits of ['', 'W0', 'g', 'A', '`', '/', ':', '0x1', '12345678123456781', '-1']) {
      assert.equal(check(STATUS_PARSER, `Name:\tx\nCapEff:\t${digits}\n`).answer, L.E_FORMAT, digits);
    }
    assert.equal(check(STATUS_PARSER, 'Name:\tx\nCapEff:\t09af\n').answer, 0);
  });

  test('status: a key is what stands before the first colon of a line', () => {
    const { answer } = check(
      STATUS_PARSER,
      'Name:\tUid:\t0\t0\t VmSize:\t1 kB\nVmSizes:\t1 kB\nFDSize:\t64\nXUid:\t7\t7\t\nCapEff:\t0\n',
    );
    assert.equal(answer, 0);
  });

  test('arguments that are out of range are answered, not trapped on', () => {
    for (const { abi } of openBuilds) {
      const w = windowAt(0);
      assert.equal(abi.stat_parse!(w, 10, L.HZ_MAX + 1), L.E_RANGE);
      assert.equal(abi.status_parse!(w, 10, 0), L.E_RANGE);
      for (const length of [-1, 2 ** 31, 2 ** 32 - 1]) {
        assert.ok(abi.stat_parse!(w, length, HZ) < 0);
        assert.ok(abi.statm_parse!(w, length) < 0);
        assert.ok(abi.status_parse!(w, length, PAGE_SIZE) < 0);
      }
    }
  });
});
