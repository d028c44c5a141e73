// The lines of a guard whose reader does not read: dropped, counted, never cut into one another, and never waited for.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { openLineWriter } from '../../src/cli/guard-output.js';
import { StuckPipe } from './support/stuck-pipe.js';

const skip = process.platform !== 'linux' && 'needs Linux';
const ROOM = 8192;

function open(t: TestContext) {
  const pipe = new StuckPipe(t);
  const writer = openLineWriter((lines) => `lost ${lines}`, pipe.writer);
  t.after(() => writer.close());
  return { pipe, writer };
}

test('guard output: lines are dropped while the pipe is full, and counted ahead of the first that is not', {
  skip,
}, (t) => {
  const { pipe, writer } = open(t);
  pipe.fill();
  for (const line of ['one', 'two', 'three']) writer.write(line);
  assert.equal(pipe.drain(), '');
  writer.write('four');
  writer.write('five');
  assert.equal(pipe.drain(), 'lost 3\nfour\nfive\n');
});

test('guard output: a line that fits in part is ended before another begins', { skip }, (t) => {
  const { pipe, writer } = open(t);
  pipe.fill();
  pipe.take(ROOM);
  const long = 'x'.repeat(3 * ROOM);
  writer.write(long);
  writer.write('dropped, because the first is not out yet');
  const began = pipe.drain();
  assert.ok(began.length > 0 && began.length < long.length, `${began.length} bytes fitted`);
  writer.write('next');
  assert.equal(began + pipe.drain(), `${long}\nlost 1\nnext\n`);
});
