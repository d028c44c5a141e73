/** What rules ask of a task (program, arguments, cgroups, ancestors), from files that the task has a say in. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TEXT_BYTES } from '../../../assembly/layout.js';
import type { ProcFiles } from '../../../src/proc/proc-files.js';
import { ProcTexts } from '../../../src/proc/rule-texts.js';
import { type Target, textOf } from '../target.js';

/** Whatever file is asked for holds the same. */
let held = '';
const START_BYTES = 4096;
const files = { start: () => textOf(held.slice(0, START_BYTES)), link: () => textOf(held) } as unknown as ProcFiles;
const texts = new ProcTexts(files, { now: () => 0 });

/** One hierarchy a line, its path behind the second colon. */
function referenceCgroups(text: string): string[] {
  const paths: string[] = [];
  for (const line of text.split('\n')) {
    const [id = '', controllers, ...path] = line.split(':');
    const joined = path.join(':');
    if (/^[0-9]+$/.test(id) && controllers !== undefined && /^[^\r\u2028\u2029]+$/.test(joined)) paths.push(joined);
  }
  return paths;
}

const part = fc.constantFrom(
  '0::',
  '4:memory:',
  '1:name=systemd:',
  '/',
  '/user.slice',
  'a b',
  '\n',
  ':',
  '..',
  ' (deleted)',
  '\x1b[2J',
  '\xff',
  '\0',
);

export const ruleTexts: Target = {
  name: 'rule-texts',
  seeds: [
    '0::/user.slice/a b\n',
    '4:memory:/a\n1:name=systemd:/b:c\n',
    '/usr/bin/node (deleted)',
    'node\0app.js\0--port\x003000\0',
  ],
  words: [
    '0::',
    ':',
    '\n',
    '/',
    ' (deleted)',
    '\0',
    '\0\0',
    '..',
    '4:memory:',
    '\r',
    '\xe2\x80\xa8',
    '12 (a) S 0 ',
    '5 (b) S 5 5 5',
  ],
  shaped: fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
  most: 5000,
  longest: TEXT_BYTES,
  check(input) {
    held = input;
    texts.begin();
    const read = (condition: 'cgroup' | 'cmdline' | 'exe' | 'ancestor') => texts.read(7, 0, condition);
    const start = textOf(input.slice(0, START_BYTES));
    const cgroups = read('cgroup');
    assert.deepEqual(cgroups, referenceCgroups(start));
    const [line = ''] = read('cmdline') ?? [];
    assert.ok(!line.includes('\0'));
    assert.equal(line, start.replaceAll('\0', ' ').slice(0, line.length));
    const [exe = ''] = read('exe') ?? [];
    assert.ok(textOf(input) === exe || textOf(input) === `${exe} (deleted)`);
    // The parent's stat is the input too: a ring of parents must end.
    const ancestors = texts.read(7, 7, 'ancestor');
    assert.ok(ancestors === null || ancestors.length <= 64);
    return `${cgroups?.length} ${ancestors?.length}`;
  },
};
