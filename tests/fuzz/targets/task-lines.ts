/** Task records as NDJSON: an error by line, or tasks that can be ranked, and that written down are the same. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { loadTasks, machineToRecord, openEngine, parseTaskLines, rankTasks, taskToRecord } from '../../../src/index.js';
import { arbitraryTask } from '../../src/support/tasks.js';
import { inputOf, rangeRefusal, refusal, type Target, textOf } from '../target.js';

const engine = await openEngine({ maxTasks: 256 });

const WORDS = [
  ...[
    '{"tgid":1}',
    '"comm":"',
    '"rss_pages":',
    '"__proto__":',
    '"constructor":1',
    '"schema":1',
    '"hz":',
    '"page_size":',
    '9007199254740993',
    '1e999',
  ],
  ...[
    '-1',
    'null',
    'true',
    '[',
    ']',
    '{',
    '}',
    '[[[[',
    ']]]]',
    '"',
    '\\ud800',
    '\\u0000',
    '\n',
    ',',
    ':',
    '"kind":"registered"',
    '"scheme":"badness"',
  ],
  ...[
    '"total_pages":0',
    '"round_us":[]',
    '"uptime_s":',
    '\xff',
    '"oom_score_adj":-1000',
    '"tgid":0',
    '"ppid":1',
    '"state":"Z"',
  ],
];

const records = fc
  .array(arbitraryTask, { maxLength: 6 })
  .map((tasks) => tasks.map((task) => JSON.stringify(taskToRecord(task))).join('\n'));

export const taskLines: Target = {
  name: 'task-lines',
  seeds: [
    readFileSync('examples/evening.ndjson', 'latin1').split('\n').slice(0, 6).join('\n'),
    '{"schema":1,"page_size":4096,"hz":100,"uptime_s":1804.55,"total_pages":6171023,"scheme":"badness"}\n{"tgid":812,"comm":"node","rss_pages":49152}\n',
  ],
  words: WORDS,
  shaped: records.map(inputOf),
  check(input) {
    let parsed: ReturnType<typeof parseTaskLines>;
    try {
      parsed = parseTaskLines(textOf(input));
    } catch (error) {
      return refusal(error, 'ETASKLINE', 'ESCHEMA');
    }
    const { machine, options, tasks } = parsed;
    const lines = [machineToRecord(machine, options), ...tasks.map(taskToRecord)].map((record) =>
      JSON.stringify(record),
    );
    const again = parseTaskLines(lines.join('\n'));
    // As JSON, where −0 is 0.
    const written = [again.machine, again.options, again.tasks.map(taskToRecord)].map((part) => JSON.stringify(part));
    assert.deepEqual(
      written,
      [machine, options, tasks.map(taskToRecord)].map((part) => JSON.stringify(part)),
    );
    if (tasks.length > 256) return 'many';
    try {
      loadTasks(engine, tasks, machine);
      return `${tasks.length} ${rankTasks(engine, options).outcome}`;
    } catch (error) {
      return rangeRefusal(error);
    }
  },
};
