/** docs/pressure.md: its guard runs, chooses somebody when memory is short, and signals nobody. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as guard from '../../src/guard/index.js';
import * as badness from '../../src/index.js';
import * as linux from '../../src/linux/index.js';
import * as policy from '../../src/policy/index.js';
import { runExample } from './support/doc-example.js';
import { PATIENCE_MS } from './support/patience.js';
import { FileTree, meminfoText } from './support/pressure-fixtures.js';

const page = readFileSync('docs/pressure.md', 'utf8');
const skip = existsSync('/proc/self/stat') ? false : 'there is no /proc here';

test('docs: the guard of pressure.md waits while there is memory, and decides when there is not', {
  skip,
}, async (t) => {
  const figures = (available: number) =>
    meminfoText({ total: 1_000_000, free: 1000, available, anon: 1_000_000 - available });
  const tree = new FileTree(t, { meminfo: figures(900_000) });
  const said: string[] = [];
  const stop = new AbortController();
  class Reader extends linux.MeminfoReader {
    private readings = 0;
    constructor() {
      super(tree.root);
    }
    override read() {
      this.readings += 1;
      if (this.readings === 2) assert.deepEqual(said, []);
      if (this.readings === 2) tree.write('meminfo', figures(40_000));
      return super.read();
    }
  }
  const say = (line: string) => {
    said.push(line);
    stop.abort();
  };
  const entries = { badness, 'badness/guard': guard, 'badness/linux': linux, 'badness/policy': policy };
  const ended = runExample(page, entries, { MeminfoReader: Reader, say, stop: stop.signal });
  await Promise.race([
    ended,
    new Promise((_, late) => setTimeout(late, PATIENCE_MS, new Error('it does not end')).unref()),
  ]);
  assert.equal(said.length, 1);
  // Others of this machine come and go: the one chosen may be gone at once.
  assert.match(said[0]!, /^memory: 39 MiB \(4\.0 %\) available, no swap that counts; .+: (dry|gone|no-victim)$/s);
});

test('docs: every name in the table of pressure.md is exported', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  const names = rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/\b(?:new )?(\w+)\(/g)].map(([, name]) => name!));
  assert.ok(names.length >= 9);
  for (const name of names) assert.ok(name in linux || name in guard, name);
});
