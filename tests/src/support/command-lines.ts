// A table of command lines, a test each: what a shell sees of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { badness, type Ran } from './badness.js';

export type CommandLine = readonly [line: string, status: number, stdout: RegExp, stderr: RegExp];

/** `folder` stands as … in the names of the tests; `more` is asked of each as well. */
export function testLines(rows: readonly CommandLine[], folder: string, more: (ran: Ran) => void = () => {}): void {
  for (const [line, status, stdout, stderr] of rows) {
    const name = folder === '' ? line : line.replaceAll(folder, '…');
    test(`badness ${name} exits ${status}`, () => {
      const ran = badness(line === '' ? [] : line.split(' '));
      assert.match(ran.stderr, stderr);
      assert.match(ran.stdout, stdout);
      assert.equal(ran.status, status);
      more(ran);
    });
  }
}
