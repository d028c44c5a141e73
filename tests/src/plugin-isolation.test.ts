// What a plug-in cannot reach: the memory of the engine, and that which its answers come through.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { moduleFile, points } from './support/plugin-modules.js';
import { MACHINE, opened } from './support/plugin-scene.js';

/** Looks for shared memory wherever code of a thread can, now and whenever something of the runtime is called: its points are how much it found. */
const SNOOP = `
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
let found = 0;
let calls = 0;
const look = (value, depth = 0) => {
  if (value instanceof SharedArrayBuffer || value?.buffer instanceof SharedArrayBuffer) found += 1;
  else if (value && typeof value === 'object' && depth < 4) for (const key of Object.keys(value)) look(value[key], depth + 1);
};
const patched = [
  [Atomics, ['wait', 'load', 'store', 'notify']],
  [Uint8Array.prototype, ['set', 'subarray', 'slice', 'fill']],
  [Object.getPrototypeOf(Uint8Array.prototype), ['set', 'subarray', 'slice', 'fill']],
  [TextEncoder.prototype, ['encodeInto']],
];
for (const [owner, names] of patched) {
  for (const name of names) {
    const real = owner[name];
    owner[name] = function (...args) {
      calls += 1;
      look(this);
      for (const one of args) look(one);
      return Reflect.apply(real, this, args);
    };
  }
}
for (const name of ['Uint8Array', 'Float64Array', 'Int32Array', 'Uint32Array', 'DataView']) {
  globalThis[name] = new Proxy(globalThis[name], {
    construct(target, args, own) {
      calls += 1;
      for (const one of args) look(one);
      return Reflect.construct(target, args, own);
    },
  });
}
export function points(task) {
  look(workerData);
  look(receiveMessageOnPort(parentPort));
  look(task);
  return calls > 0 ? found : 99;
}`;

describe('plug-in: the memory of others', () => {
  test('a module finds no shared memory, and what it does to the runtime before shows it none either', async (t) => {
    const scene = await opened(t, { module: moduleFile(t, SNOOP), export: 'points' });
    assert.deepEqual(scene.ask(), { reason: null, points: [Number.NaN, 0, 0, 0] });
    assert.deepEqual(
      scene.ask(),
      { reason: null, points: [Number.NaN, 0, 0, 0] },
      'nor did the first question show it',
    );
  });

  test('a module that writes to what it is given changes nothing but its own copy', async (t) => {
    const body =
      'try { task.rssPages = 1e9; machine.totalPages = 1; } catch {} return task.tgid === 300 ? machine.totalPages : machine.tasks;';
    const scene = await opened(t, { module: moduleFile(t, points(body)), export: 'points' });
    const before = scene.engine.bytes.slice();
    scene.plugin.score(scene.engine, MACHINE.totalPages);
    const after = scene.engine.bytes.slice();
    const at = scene.engine.cell(L.C_POINTS, 0, 8);
    before.fill(0, at, at + 8 * scene.engine.count);
    after.fill(0, at, at + 8 * scene.engine.count);
    assert.deepEqual(Buffer.compare(before, after), 0, 'but for the points, the engine is as it was');
  });
});
