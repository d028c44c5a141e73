// The registry of tasks that a program registers: ids, figures, what their memory() may do, and the reader over all of them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PID_MAX } from '../../assembly/layout.js';
import { RegisteredReader, TaskRegistry, type TaskSpec } from '../../src/registered/index.js';
import { ManualClock } from './support/manual-clock.js';

const shed = () => {};
const spec = (more: Partial<TaskSpec> = {}): TaskSpec => ({ name: 'cache', shed, ...more });

describe('registry: ids and registrations', () => {
  test('ids are above every pid, rise, and are never given again', () => {
    const registry = new TaskRegistry();
    const first = registry.register(spec());
    const second = registry.register(spec());
    first.unregister();
    const again = registry.register(spec());
    assert.ok(first.id > PID_MAX && Number.isSafeInteger(first.id));
    assert.ok(first.id < second.id && second.id < again.id);
    assert.deepEqual([first.registered, second.registered, again.registered], [false, true, true]);
    assert.deepEqual(
      registry.list().map(({ id }) => id),
      [second.id, again.id],
    );
  });

  test('unregistered twice is unregistered once; its memory is nothing then', () => {
    const registry = new TaskRegistry();
    const task = registry.register(spec({ memory: () => 100 }));
    assert.equal(registry.measure(), 100);
    task.unregister();
    task.unregister();
    assert.deepEqual([registry.size, registry.measure(), task.measure()], [0, 0, 0]);
  });

  test('above maxTasks it is E2BIG, until one has gone', () => {
    const registry = new TaskRegistry({ maxTasks: 2 });
    const task = registry.register(spec());
    registry.register(spec());
    assert.throws(() => registry.register(spec()), { code: 'E2BIG' });
    task.unregister();
    registry.register(spec());
    for (const maxTasks of [0, 1.5, 65_537]) assert.throws(() => new TaskRegistry({ maxTasks }), RangeError);
  });

  test('what is no task is refused by key', () => {
    const registry = new TaskRegistry();
    const rows: [more: object, error: RegExp][] = [
      [{ name: 7 }, /^TypeError: name of a task must be text/],
      [{ name: '' }, /^RangeError: name of a task must be 1\.\.64 printable characters, got ""/],
      [{ name: 'a\nb' }, /^RangeError: name/],
      [{ name: 'x'.repeat(65) }, /^RangeError: name/],
      [{ shed: undefined }, /^TypeError: shed of task cache must be a function, got undefined/],
      [{ memory: 7 }, /^TypeError: memory of task cache must be a function, got number/],
      [{ kill: 'SIGKILL' }, /^TypeError: kill of task cache must be a function, got string/],
      [{ memory: () => 1, memoryBytes: 1 }, /^TypeError: task cache has both memory and memoryBytes/],
      [{ memoryBytes: -1 }, /^RangeError: memoryBytes of task cache must be 0\.\.2\^53, got -1/],
      [{ memoryBytes: '1' }, /^TypeError: memoryBytes/],
      [{ cpuMs: Number.NaN }, /^RangeError: cpuMs of task cache/],
      [{ startedMs: Number.POSITIVE_INFINITY }, /^RangeError: startedMs of task cache/],
      [{ uid: -1 }, /^RangeError: uid of task cache/],
    ];
    for (const [more, error] of rows) assert.throws(() => registry.register({ ...spec(), ...more } as TaskSpec), error);
    assert.equal(registry.size, 0);
  });

  test('it begins when it is registered unless it says otherwise, and never in the future', () => {
    const clock = new ManualClock();
    const registry = new TaskRegistry({ clock });
    const started = [undefined, 200, -5000, 9999].map(
      (startedMs) => registry.register(spec(startedMs === undefined ? {} : { startedMs })).startedMs,
    );
    assert.deepEqual(started, [1000, 200, -5000, 1000]);
  });
});

describe('registry: figures', () => {
  test('pushed figures stand until the next; what is left out stays', () => {
    const task = new TaskRegistry().register(spec({ memoryBytes: 10.7, cpuMs: 1.5 }));
    assert.deepEqual([task.measure(), task.cpuMs], [10, 1.5]);
    task.update({ memoryBytes: 20 });
    task.update({ cpuMs: 3 });
    assert.deepEqual([task.measure(), task.cpuMs], [20, 3]);
    assert.throws(() => task.update({ memoryBytes: -1 }), RangeError);
    assert.throws(() => task.update({ cpuMs: '1' as unknown as number }), TypeError);
    assert.equal(task.measure(), 20);
  });

  test('where memory() tells, nobody else does', () => {
    const task = new TaskRegistry().register(spec({ memory: () => 7 }));
    assert.throws(() => task.update({ memoryBytes: 1 }), /memoryBytes of task cache comes from its memory\(\)/);
    task.update({ cpuMs: 4 });
    assert.deepEqual([task.measure(), task.cpuMs], [7, 4]);
  });

  test('a memory() that fails leaves the figure before, is counted, and blinds nobody to the others', () => {
    const registry = new TaskRegistry();
    const answers: unknown[] = [100, Number.NaN, -1, '5', 2 ** 54, null];
    const odd = registry.register(
      spec({
        memory: () => {
          if (answers.length === 0) throw new Error('broken');
          return answers.shift() as number;
        },
      }),
    );
    registry.register(spec({ memoryBytes: 1 }));
    const sums = Array.from({ length: 7 }, () => registry.measure());
    assert.deepEqual(sums, [101, 101, 101, 101, 101, 101, 101]);
    assert.deepEqual(odd.failures, { count: 6, last: 'Error: broken' });
  });

  test('a memory() that registers and unregisters meanwhile does no harm', () => {
    const registry = new TaskRegistry();
    const later = { task: null as ReturnType<TaskRegistry['register']> | null };
    registry.register(
      spec({
        memory: () => {
          later.task?.unregister();
          registry.register(spec({ memoryBytes: 1000 }));
          return 1;
        },
      }),
    );
    later.task = registry.register(spec({ memoryBytes: 10 }));
    assert.equal(registry.measure(), 1, 'the one that left is gone, the one that came counts the next time');
    assert.equal(registry.measure(), 1001);
  });
});

describe('registry: the reader', () => {
  test('available is what the budget leaves, below 0 where it is overdrawn; there is no swap', () => {
    const registry = new TaskRegistry();
    const task = registry.register(spec({ memoryBytes: 24 * 1024 }));
    registry.register(spec({ memoryBytes: 8 * 1024, protected: true }));
    const reader = new RegisteredReader(registry, 100 * 1024);
    const state = { totalKib: 100, availableKib: 68, basisKib: 100, swapTotalKib: 0, swapFreeKib: 0 };
    assert.deepEqual(reader.read(), state);
    task.update({ memoryBytes: 100 * 1024 });
    assert.equal(reader.read().availableKib, -8);
  });
});
