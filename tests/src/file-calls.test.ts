import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEngine } from '../../src/engine.js';
import { type FileCalls, NODE_FILES } from '../../src/linux/file-calls.js';
import { MeminfoReader } from '../../src/linux/meminfo.js';
import { loadNative } from '../../src/linux/native.js';
import { ProcScanner } from '../../src/linux/scan.js';
import { ownFolder } from './support/own-folder.js';

const { native, reason } = await loadNative();
const skip = native ? false : `no native calls: ${reason}`;
const bodies = (): [string, FileCalls][] => [
  ['node', NODE_FILES],
  ['libc', native!.files],
];

test('files: both bodies read the same bytes at the same places, and nothing beside them', { skip }, (t) => {
  const folder = ownFolder(t);
  const path = join(folder, 'text');
  writeFileSync(path, 'abcdefghij');
  for (const [name, files] of bodies()) {
    const bytes = new Uint8Array(16).fill(0x2e);
    const fd = files.open(path);
    const readAt = files.readerInto(bytes);
    assert.equal(readAt(fd, 2, 4, 3), 4, name);
    assert.equal(Buffer.from(bytes).toString(), '..defg..........', name);
    assert.equal(readAt(fd, 10, 6, 8), 2, name);
    assert.equal(Buffer.from(bytes).toString(), '..defg....ij....', name);
    assert.equal(readAt(fd, 0, 16, 10), 0, name);
    files.close(fd);
    assert.throws(() => fstatSync(fd), { code: 'EBADF' });
  }
});

test('files: libc writes into the memory of the engine, of both kinds', { skip }, async () => {
  for (const build of ['shared', 'baseline'] as const) {
    const engine = await openEngine({ build, maxTasks: 4 });
    const fd = native!.files.open('/proc/self/statm');
    const at = engine.window + 512;
    const length = native!.files.readerInto(engine.bytes)(fd, at, 48, 0);
    assert.match(Buffer.from(engine.bytes.slice(at, at + length)).toString(), /^\d+ \d+ /);
    native!.files.close(fd);
  }
});

test('files: what lies beyond the bytes is refused before the kernel could write there', { skip }, () => {
  const fd = openSync('/proc/self/statm', 'r');
  const readAt = native!.files.readerInto(new Uint8Array(16));
  for (const [at, length] of [
    [0, 17],
    [10, 7],
    [-1, 4],
    [4, -1],
  ] as const) {
    assert.throws(() => readAt(fd, at, length, 0), RangeError);
  }
  closeSync(fd);
});

test('files: both bodies name errors alike', { skip }, () => {
  for (const [name, files] of bodies()) {
    assert.throws(() => files.open('/proc/0/statm'), { code: 'ENOENT' }, name);
    const fd = files.open('/proc/self/statm');
    files.close(fd);
    assert.throws(() => files.readerInto(new Uint8Array(16))(fd, 0, 4, 0), { code: 'EBADF' }, name);
    assert.throws(() => files.close(fd), { code: 'EBADF' }, name);
  }
});

test('files: a descriptor is not handed to programs that are started', { skip }, () => {
  const fd = native!.files.open('/proc/self/statm');
  const CLOEXEC = 0o2000000;
  const flags = Number.parseInt(/^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))![1]!, 8);
  assert.equal(flags & CLOEXEC, CLOEXEC);
  native!.files.close(fd);
});

test('files: what is reserved takes no descriptor, and too much is not asked for twice', { skip }, () => {
  const count = () => readdirSync('/proc/self/fd').length;
  const before = count();
  native!.files.reserve(1024);
  native!.files.reserve(2 ** 31 - 1);
  assert.equal(count(), before);
  const size = Number(/^FDSize:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
  assert.ok(size >= 1024, `${size}`);
});

test('files: both bodies list the same pids in the same order, those that came and went in between too', {
  skip,
}, (t) => {
  const folder = ownFolder(t);
  const add = (name: string) => writeFileSync(join(folder, name), '');
  const [byNode, byLibc] = bodies().map(([, files]) => files.pidsIn(folder));
  assert.deepEqual(byLibc!(), []);
  for (const name of ['self', '10', '9', '1', '100', '0', 'cpuinfo']) add(name);
  const few = byLibc!();
  assert.deepEqual(few, ['1', '10', '100', '9']);
  assert.equal(byLibc!(), few, 'nothing has changed, nothing is made anew');
  // As many bytes as before.
  rmSync(join(folder, '9'));
  add('8');
  assert.deepEqual(byLibc!(), ['1', '10', '100', '8']);
  // More than there was room for at first.
  for (let pid = 1000; pid < 7000; ++pid) add(String(pid));
  const many = byLibc!();
  assert.equal(many.length, 6004);
  assert.deepEqual(many, byNode!());
  for (let pid = 1000; pid < 7000; ++pid) rmSync(join(folder, String(pid)));
  assert.deepEqual(byLibc!(), byNode!());
  assert.throws(() => native!.files.pidsIn(join(folder, 'none'))(), { code: 'ENOENT' });
});

test('files: a folder that cannot be listed leaves no descriptor open', { skip }, () => {
  const count = () => readdirSync('/proc/self/fd').length;
  const before = count();
  assert.throws(native!.files.pidsIn('/proc/self/statm'), { code: 'ENOTDIR' });
  assert.equal(count(), before);
});

test('files: memory and choice are the same by both', { skip }, async () => {
  const readers = bodies().map(([, files]) => new MeminfoReader('/proc', files));
  const [byNode, byLibc] = readers.map((reader) => reader.readAll().memTotalKib);
  assert.equal(byLibc, byNode);
  for (const reader of readers) reader.close();
  const engine = await openEngine();
  using scanner = new ProcScanner(engine, { scheme: 'resident', files: native!.files });
  const { slot, outcome } = scanner.decide();
  using other = new ProcScanner(await openEngine(), { scheme: 'resident' });
  assert.equal(other.decide().outcome, outcome);
  assert.ok(slot >= 0 && scanner.kernelCost.descriptors > 0);
});
