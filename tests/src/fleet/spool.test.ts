/** The spool: bounded, whole after any end of its process, and nothing of it is lost without being counted. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { diskMemory, diskStore, memoryStore, readStanding } from '../../../src/fleet/live/disk-store.js';
import { readSegment, Spool, type SpoolRecord, type SpoolStore, spoolLine } from '../../../src/fleet/spool.js';
import fc, { SEED } from '../support/fast-check.js';

const record = (id: string, text = 'x'.repeat(100)): SpoolRecord => ({ subject: 's', id, text });
const DROPPED = 'dropped ';

function open(store: SpoolStore, bytesMost = 1 << 20): Spool {
  let drops = 0;
  const droppedIn = ({ text }: SpoolRecord) => (text.startsWith(DROPPED) ? Number(text.slice(DROPPED.length)) : 0);
  return new Spool(store, { bytesMost, droppedIn, dropped: (count) => record(`d${++drops}`, `${DROPPED}${count}`) });
}

/** Takes everything out, a few at a time. */
function drain(spool: Spool, most = 3): SpoolRecord[] {
  const records: SpoolRecord[] = [];
  while (spool.waiting > 0) {
    const batch = spool.next(most);
    assert.ok(batch.records.length > 0 && batch.records.length <= most);
    records.push(...batch.records);
    spool.settle(batch);
  }
  return records;
}

const ids = (records: readonly SpoolRecord[]) => records.map(({ id }) => id);

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'badness-spool-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('spool: what is put comes out once, in order, over any number of restarts', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant('put'), fc.constant('take'), fc.constant('restart'))), (steps) => {
      const store = memoryStore();
      let spool = open(store, 4000);
      const [put, taken] = [[] as string[], [] as string[]];
      for (const step of steps) {
        if (step === 'put') {
          // A segment has room for three or four of these, and the whole for more than one run puts.
          if (spool.waiting > 12) continue;
          put.push(`r${put.length}`);
          spool.put(record(put.at(-1)!));
        } else if (step === 'take') {
          const batch = spool.next(2);
          taken.push(...ids(batch.records));
          spool.settle(batch);
        } else spool = open(store, 4000);
      }
      taken.push(...ids(drain(spool)));
      // Of the oldest segment a restart gives again what was taken of it: the reader knows the ids.
      assert.deepEqual([...new Set(taken)], put);
      assert.equal(spool.dropped, 0);
      assert.equal(spool.waiting, 0);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('spool: full, it drops the oldest, never grows beyond its bound by more than a line, and counts every one', () => {
  const store = memoryStore();
  const spool = open(store, 4000);
  const sizes: number[] = [];
  for (let n = 0; n < 500; ++n) {
    spool.put(record(`r${n}`));
    sizes.push(store.numbers().reduce((sum, segment) => sum + store.read(segment).length, 0));
  }
  assert.ok(Math.max(...sizes) <= 4000 + 300, String(Math.max(...sizes)));
  const left = drain(spool);
  const kept = left.filter(({ text }) => !text.startsWith(DROPPED));
  assert.equal(kept.at(-1)!.id, 'r499');
  assert.deepEqual(
    ids(kept),
    Array.from({ length: kept.length }, (_, n) => `r${500 - kept.length + n}`),
  );
  const told = left
    .filter(({ text }) => text.startsWith(DROPPED))
    .map(({ text }) => Number(text.slice(DROPPED.length)));
  assert.equal(spool.dropped, 500 - kept.length);
  assert.equal(
    told.reduce((sum, count) => sum + count, 0),
    500 - kept.length,
    'reports of drops that were dropped themselves are told again',
  );
});

test('spool: a batch whose segment was dropped meanwhile takes nothing else with it', () => {
  const spool = open(memoryStore(), 4000);
  spool.put(record('first'));
  const batch = spool.next(64);
  for (let n = 0; n < 100; ++n) spool.put(record(`r${n}`));
  const waiting = spool.waiting;
  spool.settle(batch);
  assert.equal(spool.waiting, waiting);
});

test('spool: what was put while a batch was on its way comes after it', () => {
  const spool = open(memoryStore());
  spool.put(record('a'));
  const batch = spool.next(64);
  spool.put(record('b'));
  spool.settle(batch);
  assert.deepEqual(ids(drain(spool)), ['b']);
});

test('spool: files that were cut off or damaged anywhere lose the damaged lines and no other', (t) => {
  const path = folder(t);
  const whole = Array.from({ length: 5 }, (_, n) => record(`r${n}`, `{"ä":"${n}\\n"}`));
  const text = whole.map(spoolLine).join('');
  const file = join(path, '00000007.spool');
  for (let length = 0; length <= Buffer.byteLength(text); length += 7) {
    writeFileSync(file, text);
    truncateSync(file, length);
    const spool = open(diskStore(path));
    const left = Buffer.from(text).subarray(0, length).toString().split('\n').length - 1;
    // Put after the damage, in a segment of its own: a line that is cut off takes nothing with it.
    spool.put(record('after'));
    const found = ids(drain(spool));
    assert.deepEqual(found.slice(0, left), ids(whole).slice(0, left));
    assert.equal(found.at(-1), 'after');
    assert.ok(found.length <= left + 2, `${found.length} of ${left}`);
  }
  writeFileSync(file, text.replace('r2', 'rX'));
  appendFileSync(file, 'no line at all\n\0\0\0\0');
  const spool = open(diskStore(path));
  assert.equal(spool.damaged, 3);
  assert.deepEqual(ids(drain(spool)), ['r0', 'r1', 'r3', 'r4']);
});

test('spool: a line that the disk has no room for is refused whole, and leaves nothing in front of the next one', (t) => {
  const path = folder(t);
  const program = `ulimit -f 1 && exec "$0" build/unit/tests/src/support/full-disk.worker.js "$1"`;
  const { stdout, stderr } = spawnSync('sh', ['-c', program, process.execPath, path], { encoding: 'utf8' });
  const { put, code } = JSON.parse(stdout || '{}') as { put?: number; code?: string };
  assert.equal(code, 'EFBIG', stderr);
  const { records, damaged } = readSegment(readFileSync(join(path, '00000001.spool'), 'utf8'));
  assert.ok(put! > 0);
  assert.deepEqual([records.length, damaged], [put, 0]);
});

test('spool: lines that are gone from under it are counted as damaged, and nobody waits for them', () => {
  const store = memoryStore();
  const spool = open(store, 4000);
  for (let n = 0; n < 12; ++n) spool.put(record(`r${n}`));
  store.remove(store.numbers()[0]!);
  const lost = spool.waiting;
  const left = drain(spool).length;
  assert.equal(spool.waiting, 0);
  assert.ok(left > 0 && left < lost, `${left} of ${lost}`);
  assert.equal(spool.damaged, lost - left);
});

test('spool: files that are not its own are left alone, its own are gone when everything was sent', (t) => {
  const path = folder(t);
  writeFileSync(join(path, 'standing.json'), '{}');
  const spool = open(diskStore(path));
  for (let n = 0; n < 20; ++n) spool.put(record(`r${n}`));
  assert.equal(drain(open(diskStore(path))).length, 20);
  assert.deepEqual(readdirSync(path), ['standing.json']);
});

test('spool: a line says when any byte of it is another', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), fc.integer({ min: 1, max: 127 }), (text, at, flip) => {
      const bytes = Buffer.from(spoolLine(record('id', text)));
      const place = at % (bytes.length - 1);
      bytes[place]! ^= flip;
      const changed = bytes.toString('latin1');
      const { records } = readSegment(changed);
      assert.ok(!records.some((found) => found.id === 'id' && found.text !== text && found.subject === 's'), changed);
    }),
    { seed: SEED },
  );
});

test('fleet standing: what was seen is there after a restart, and damage is no beginning anew', (t) => {
  const path = folder(t);
  assert.deepEqual(readStanding(path).sequences, {});
  diskMemory(path, () => 77).save({ default: 5 }, null);
  assert.deepEqual(diskMemory(path).load(), { default: 5 });
  assert.equal(readStanding(path).takenMs, 77);
  const file = join(path, 'standing.json');
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, -4));
  assert.throws(() => diskMemory(path).load(), { code: 'ESTANDING' });
});
