// Arbitrary task records, as fast-check makes them.

import type { Task } from '../../../src/index.js';
import fc from './fast-check.js';

const u32 = fc.nat({ max: 0xffffffff });
/** Small ones, so that sums stay within 2^53, and small numbers often. */
const quantity = fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 1 << 24 }), fc.nat({ max: 2 ** 46 }));

/** Names that fit into 15 bytes, with anything in them that the kernel lets in, bytes that are not UTF-8 included. */
export const arbitraryComm = fc
  .array(
    fc.oneof(
      fc.constantFrom(')', '(', ' ', '\n', '\t', '\x1b', '\\', '"', 'é', '漢', '😀', '\u202e', '\udc80', '\udcff'),
      fc.integer({ min: 1, max: 0x7f }).map((code) => String.fromCharCode(code)),
    ),
    { maxLength: 4 },
  )
  .map((characters) => characters.join(''))
  // Two escaped bytes in a row may make a character together, which is then read as that.
  .filter((name) => !/[\udc80-\udcff]{2}/.test(name) && name.length > 0);

export const arbitraryTask: fc.Arbitrary<Task> = fc.record(
  {
    kind: fc.constantFrom('process', 'registered', 'simulated'),
    tgid: fc.oneof(fc.nat({ max: 40 }), u32),
    ppid: fc.nat({ max: 40 }),
    sid: fc.nat({ max: 5 }),
    comm: arbitraryComm,
    state: fc.constantFrom('R', 'S', 'D', 'Z'),
    threads: fc.nat({ max: 9 }),
    totalVmPages: quantity,
    rssPages: quantity,
    rssAnonPages: quantity,
    rssShmemPages: quantity,
    statRssPages: quantity,
    swapPages: quantity,
    pgtablesBytes: quantity,
    utimeJiffies: quantity,
    stimeJiffies: quantity,
    startTimeTicks: quantity,
    nice: fc.integer({ min: -20, max: 19 }),
    uid: fc.nat({ max: 2 }),
    euid: fc.nat({ max: 2 }),
    capEff: fc.constantFrom('0', '200000', '1fffeffffff', 'ffffffffffffffff'),
    oomScoreAdj: fc.oneof(fc.constantFrom(-1000, 0, 1000), fc.integer({ min: -1000, max: 1000 })),
    oomAdj: fc.integer({ min: -17, max: 15 }),
    hasMm: fc.boolean(),
    kthread: fc.boolean(),
    exiting: fc.boolean(),
  },
  { requiredKeys: ['tgid'], noNullPrototype: true },
);
