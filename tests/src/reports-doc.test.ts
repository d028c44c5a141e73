/** docs/reports.md: its command line and its program print what they say, and its words are those of the code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as badness from '../../src/index.js';
import * as report from '../../src/report/index.js';
import { badness as run } from './support/badness.js';
import { runExample } from './support/doc-example.js';
import { KMSG_FILE } from './support/oom-log.js';

const page = readFileSync('docs/reports.md', 'utf8');

test('docs: the command line of reports.md prints what stands below it', () => {
  const [, command, output] = /```console\n\$ badness (.*)\n([\s\S]*?)```/.exec(page)!;
  assert.equal(run(command!.split(' '), { env: { COLUMNS: '80' } }).stdout, output);
});

test('docs: the program of reports.md runs', async () => {
  const said: string[] = [];
  const log = readFileSync(KMSG_FILE);
  const say = (line: string) => said.push(line);
  await runExample(page, { badness, 'badness/report': report }, { log, say });
  assert.deepEqual(said, ['hog )1 [2]: linux-5.9 names it too', '55 of 82 lines']);
});

test('docs: reports.md explains every doubt there is', () => {
  const source = readFileSync('src/report/doubts.ts', 'utf8');
  const codes = [.../type DoubtCode =([\s\S]*?);/.exec(source)![1]!.matchAll(/'([\w-]+)'/g)].map(([, code]) => code!);
  assert.ok(codes.length > 10);
  for (const code of codes) assert.ok(page.includes(`\`${code}\``), code);
});
