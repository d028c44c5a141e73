// /proc/meminfo as text → what is available; and what must be refused.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MeminfoReader } from '../../src/linux/meminfo.js';
import { defineThresholds } from '../../src/policy/levels.js';
import { availablePercent, levelOf, swapFreePercent } from '../../src/pressure/memory-state.js';
import { arcstatsText, DESKTOP, FileTree, type MeminfoFigures, meminfoText } from './support/pressure-fixtures.js';

const ARC = 'spl/kstat/zfs/arcstats';

function reader(t: TestContext, figures: MeminfoFigures, more: Record<string, string> = {}) {
  const tree = new FileTree(t, { meminfo: meminfoText(figures), ...more });
  const meminfo = new MeminfoReader(tree.root);
  t.after(() => meminfo.close());
  return { tree, meminfo };
}

test('meminfo: each value stands under its own key', (t) => {
  const { meminfo } = reader(t, { ...DESKTOP, swapTotal: 2_000_000, swapFree: 500_000, shmem: 77, hugetlb: 4096 });
  const read = meminfo.readAll();
  const { totalKib, availableKib, basisKib, swapTotalKib, swapFreeKib } = read;
  assert.deepEqual(meminfo.read(), { totalKib, availableKib, basisKib, swapTotalKib, swapFreeKib });
  assert.equal(read.memTotalKib, 16_384_000);
  assert.equal(read.totalKib, 16_384_000);
  assert.equal(read.memFreeKib, 4_000_000);
  assert.equal(read.memAvailableKib, 8_000_000);
  assert.equal(read.availableKib, 8_000_000);
  assert.equal(read.anonPagesKib, 7_000_000);
  assert.equal(read.cachedKib, 1_934_736);
  assert.equal(read.shmemKib, 77);
  assert.equal(read.sReclaimableKib, 150_000);
  assert.equal(read.hugetlbKib, 4096);
  assert.equal(read.swapTotalKib, 2_000_000);
  assert.equal(read.swapFreeKib, 500_000);
  assert.equal(read.zfsReclaimableKib, 0);
});

test('meminfo: a kept descriptor reads anew, also when the columns have moved', (t) => {
  const { tree, meminfo } = reader(t, DESKTOP);
  meminfo.read();
  tree.write('meminfo', meminfoText({ ...DESKTOP, available: 1000 }));
  assert.equal(meminfo.read().availableKib, 1000);
  // Ten digits are wider than the column, so everything behind them stands elsewhere.
  tree.write(
    'meminfo',
    meminfoText({ ...DESKTOP, total: 4_294_967_296, available: 4_123_456_789, anon: 1_000_000_001 }),
  );
  assert.equal(meminfo.read().availableKib, 4_123_456_789);
  assert.equal(meminfo.readAll().anonPagesKib, 1_000_000_001);
  tree.write('meminfo', meminfoText(DESKTOP));
  assert.equal(meminfo.readAll().anonPagesKib, DESKTOP.anon, 'what the longer text left behind is not read');
});

test('meminfo: the end of a text and what a longer one has left behind it make no line together', (t) => {
  const { tree, meminfo } = reader(t, { ...DESKTOP, swapTotal: 500, swapFree: 100 });
  assert.equal(meminfo.read().swapTotalKib, 500);
  const before = meminfoText({ ...DESKTOP, swapTotal: 500, swapFree: 100 });
  tree.write('meminfo', before.slice(0, before.indexOf('SwapTotal')));
  assert.throws(() => meminfo.read(), { code: 'EBADMSG', message: /AnonPages is missing/ });
});

test('meminfo: percent is of available and anonymous memory, so a full tmpfs shifts no threshold', (t) => {
  // 16 GB, of which 14 GB lie in a tmpfs: 8 % of MemTotal are available, but of what processes can have, 80 %.
  const figures = { total: 16_000_000, free: 1_000_000, available: 1_280_000, anon: 320_000, shmem: 14_000_000 };
  const { meminfo } = reader(t, figures);
  const read = meminfo.read();
  assert.equal(availablePercent(read), 80);
  assert.equal(levelOf(read, defineThresholds()), 'none');
});

test('meminfo: huge pages set aside are neither available nor in the basis', (t) => {
  const figures = { total: 16_000_000, free: 1_500_000, available: 2_000_000, anon: 2_000_000, hugetlb: 11_000_000 };
  const { meminfo } = reader(t, figures);
  assert.equal(availablePercent(meminfo.read()), 50);
});

test('meminfo: without swap only memory counts', (t) => {
  const { meminfo } = reader(t, { total: 1_000_000, free: 1, available: 60_000, anon: 940_000 });
  const read = meminfo.read();
  assert.equal(swapFreePercent(read), null);
  assert.equal(levelOf(read, defineThresholds()), 'term');
});

test('meminfo: a kernel without swap has no such lines', (t) => {
  const { tree, meminfo } = reader(t, DESKTOP);
  tree.write('meminfo', meminfoText(DESKTOP).replace(/^Swap(Total|Free).*\n/gm, ''));
  assert.equal(meminfo.read().swapTotalKib, 0);
});

test('meminfo: zram that appears later counts from then on', (t) => {
  const figures = { total: 8_000_000, free: 1, available: 640_000, anon: 7_360_000 };
  const { tree, meminfo } = reader(t, figures);
  assert.equal(levelOf(meminfo.read(), defineThresholds()), 'term');
  tree.write('meminfo', meminfoText({ ...figures, swapTotal: 8_000_000, swapFree: 6_000_000 }));
  assert.equal(levelOf(meminfo.read(), defineThresholds()), 'warn', 'swap is free');
  tree.write('meminfo', meminfoText({ ...figures, swapTotal: 8_000_000, swapFree: 700_000 }));
  assert.equal(levelOf(meminfo.read(), defineThresholds()), 'term', 'zram is full too');
});

test('meminfo: what ZFS can give back is available, its minimum is not', (t) => {
  const figures = { total: 16_000_000, free: 100_000, available: 200_000, anon: 3_000_000 };
  const { tree, meminfo } = reader(t, figures, { [ARC]: arcstatsText(10_000 * 1_024_000, 1_000 * 1_024_000) });
  const read = meminfo.readAll();
  assert.equal(read.zfsReclaimableKib, 9_000_000);
  assert.equal(read.availableKib, 9_200_000);
  assert.equal(read.memAvailableKib, 200_000);
  tree.write(ARC, arcstatsText(500 * 1_024_000, 1_000 * 1_024_000));
  assert.equal(meminfo.read().availableKib, 200_000, 'below its minimum it gives nothing');
});

test('meminfo: arcstats that nobody understands make the memory unreadable, they are not left out', (t) => {
  for (const text of [
    arcstatsText(5e9, 1e9).replace(/^c_min.*\n/m, ''),
    arcstatsText(5e9, 1e9).replace(/^(size .*)$/m, '$1x'),
    '',
  ]) {
    const { meminfo } = reader(t, DESKTOP, { [ARC]: text });
    assert.throws(() => meminfo.read(), { code: 'EBADMSG' });
  }
});

test('meminfo: more available than there is, as in some containers, is all there is', (t) => {
  const { meminfo } = reader(t, { total: 1000, free: 900, available: 4000, anon: 10 });
  assert.equal(meminfo.read().availableKib, 1000);
});

const GOOD = meminfoText(DESKTOP);
const REFUSED: Record<string, string> = {
  'an empty file': '',
  'no MemAvailable (before Linux 3.14)': GOOD.replace(/^MemAvailable.*\n/m, ''),
  'no AnonPages': GOOD.replace(/^AnonPages.*\n/m, ''),
  'no MemTotal': GOOD.replace(/^MemTotal.*\n/m, ''),
  'MemTotal 0': GOOD.replace(/^MemTotal.*$/m, 'MemTotal:              0 kB'),
  'SwapTotal without SwapFree': GOOD.replace(/^SwapFree.*\n/m, ''),
  'a negative number': GOOD.replace(/^MemAvailable.*$/m, 'MemAvailable:        -5 kB'),
  'no number': GOOD.replace(/^MemAvailable.*$/m, 'MemAvailable:           kB'),
  'another unit': GOOD.replace(/^MemAvailable.*$/m, 'MemAvailable:        50 MB'),
  'more than 2^53': GOOD.replace(/^MemAvailable.*$/m, 'MemAvailable: 9007199254740993 kB'),
  'a line that is cut off': GOOD.slice(0, GOOD.indexOf('MemAvailable') + 20),
};

for (const [what, text] of Object.entries(REFUSED)) {
  test(`meminfo: unreadable, never guessed: ${what}`, (t) => {
    const { tree, meminfo } = reader(t, DESKTOP);
    meminfo.read();
    tree.write('meminfo', text);
    assert.throws(() => meminfo.read(), { code: 'EBADMSG' });
    tree.write('meminfo', GOOD);
    assert.equal(meminfo.read().availableKib, DESKTOP.available, 'and readable again afterwards');
  });
}

test('meminfo: no /proc, no reader', (t) => {
  assert.throws(() => new MeminfoReader(new FileTree(t).root), { code: 'ENOENT' });
});
