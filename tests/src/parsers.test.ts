// The parsers of /proc/PID/{stat,statm,status} against the plain reference, on every release build.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { windowAt } from './support/builds.js';
import fc from './support/fast-check.js';
import {
  check,
  FILLS,
  HZ,
  NUMBERS,
  openBuilds,
  PAGE_SIZE,
  PARSERS,
  SAMPLES,
  STAT_PARSER,
  STATUS_PARSER,
} from './support/parser-check.js';

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

  test('status: what stands before the text takes no part in the key of its first line', () => {
    for (const fill of FILLS) {
      assert.equal(check(STATUS_PARSER, 'Uid:\t0\t0\t\nCapEff:\t0\n', fill).cells.get(L.FIELD_UID), 0);
      assert.equal(check(STATUS_PARSER, 'Uid:\tnone\nCapEff:\t0\n', fill).answer, 0);
    }
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
