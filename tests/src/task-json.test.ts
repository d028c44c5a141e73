// Task records as JSON: what is read, what is refused and in which words, and that nothing is lost on the way.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  BadnessError,
  ineligibleTasks,
  loadTasks,
  MACHINE_DEFAULTS,
  machineToRecord,
  nearestWord,
  openEngine,
  parseTaskLines,
  RECORD_KEYS,
  rankedToRecord,
  rankTasks,
  SCHEMES,
  type Task,
  taskToRecord,
} from '../../src/index.js';
import fc from './support/fast-check.js';
import { arbitraryTask } from './support/tasks.js';

function refusal(text: string): BadnessError {
  try {
    parseTaskLines(text);
  } catch (error) {
    assert.ok(error instanceof BadnessError, `expected a BadnessError, got ${error}`);
    return error;
  }
  return assert.fail('expected a refusal');
}

describe('task records: what is read', () => {
  test('absent keys stay absent, and tgid is 0', () => {
    assert.deepEqual(parseTaskLines('{}').tasks, [{ tgid: 0 }]);
  });

  test('the first line may carry the machine and how it was scored', () => {
    const header =
      '{"schema":1,"page_size":16384,"hz":250,"uptime_s":1.25,"total_pages":9,"scheme":"resident","age":"ignore"}';
    const { machine, options, tasks } = parseTaskLines(`${header}\n{"tgid":1}\n`);
    assert.deepEqual(machine, { pageSize: 16384, hz: 250, uptimeS: 1.25, totalPages: 9 });
    assert.deepEqual(options, { scheme: 'resident', age: 'ignore' });
    assert.deepEqual(tasks, [{ tgid: 1 }]);
  });

  test('what the first line leaves out is as by default', () => {
    assert.deepEqual(parseTaskLines('{"hz":1000}').machine, { ...MACHINE_DEFAULTS, hz: 1000 });
    assert.deepEqual(parseTaskLines('').machine, MACHINE_DEFAULTS);
  });

  test('blank lines and CRLF do no harm, and lines keep their numbers', () => {
    const { tasks, lines } = parseTaskLines('\r\n{"tgid":1}\r\n\n  \n{"tgid":2}\r\n');
    assert.deepEqual(tasks, [{ tgid: 1 }, { tgid: 2 }]);
    assert.deepEqual(lines, [2, 5]);
  });

  test('keys that a ranking adds are ignored, and so is its last object', () => {
    const line = '{"tgid":1,"rank":1,"points":7,"eligible":true,"reason":null,"oom_score":null}';
    assert.deepEqual(parseTaskLines(`${line}\n{"rounds":1,"round_us":[1.5]}`).tasks, [{ tgid: 1 }]);
  });

  test('tasks without an id may be many', () => {
    assert.equal(parseTaskLines('{"tgid":7}\n{}\n{}').tasks.length, 3);
  });

  test('2^53 is a quantity', () => {
    assert.equal(parseTaskLines('{"rss_pages":9007199254740992}').tasks[0]?.rssPages, 2 ** 53);
  });
});

describe('task records: what is refused, with line, key, expectation and value', () => {
  const rows: [text: string, code: string, message: string | RegExp][] = [
    ['{"tgid":1}\n{"rss_pages":"12"}', 'ETASKLINE', 'line 2: rss_pages: expected an integer 0..2^53, got "12"'],
    ['{"rss_pages":-1}', 'ETASKLINE', 'line 1: rss_pages: expected an integer 0..2^53, got -1'],
    ['{"rss_pages":1.5}', 'ETASKLINE', 'line 1: rss_pages: expected an integer 0..2^53, got 1.5'],
    ['{"rss_pages":1e400}', 'ETASKLINE', 'line 1: rss_pages: expected an integer 0..2^53, got null'],
    ['{"rss_pages":9007199254740993}', 'ETASKLINE', 'line 1: rss_pages: expected an integer 0..2^53, got more'],
    ['{"nice":20}', 'ETASKLINE', 'line 1: nice: expected an integer -20..19, got 20'],
    ['{"oom_score_adj":-1001}', 'ETASKLINE', 'line 1: oom_score_adj: expected an integer -1000..1000, got -1001'],
    ['{"oom_adj":16}', 'ETASKLINE', 'line 1: oom_adj: expected an integer -17..15, got 16'],
    ['{"tgid":4294967296}', 'ETASKLINE', 'line 1: tgid: expected an integer 0..4294967295, got 4294967296'],
    ['{"tgid":7}\n{"tgid":8}\n{"tgid":7}', 'ETASKLINE', 'line 3: tgid: expected each task once, got 7 of line 1 again'],
    ['{"cap_eff":"0x1"}', 'ETASKLINE', 'line 1: cap_eff: expected hexadecimal text of at most 16 digits, got "0x1"'],
    ['{"state":"SS"}', 'ETASKLINE', 'line 1: state: expected one letter, got "SS"'],
    ['{"kind":"thread"}', 'ETASKLINE', 'line 1: kind: expected one of process, registered, simulated, got "thread"'],
    ['{"comm":null}', 'ETASKLINE', 'line 1: comm: expected a string, got null'],
    ['{"has_mm":1}', 'ETASKLINE', 'line 1: has_mm: expected true or false, got 1'],
    ['{"rss_page":1}', 'ETASKLINE', 'line 1: "rss_page": expected a key of a task record; the nearest is rss_pages'],
    ['{"oomScoreAdj":1}', 'ETASKLINE', /the nearest is oom_score_adj$/],
    ['{"__proto__":1}', 'ETASKLINE', /^line 1: "__proto__": expected a key of a task record/],
    ['{"tgid":1,"hz":100}', 'ETASKLINE', /^line 1: "hz": expected .*; it belongs to a first line of its own$/],
    ['{"tgid":1}\n{"hz":100}', 'ETASKLINE', /^line 2: "hz": expected .*; it belongs to a first line of its own$/],
    ['{"hz":47}', 'ETASKLINE', 'line 1: hz: expected an integer 48..1535, got 47'],
    ['{"uptime_s":-1}', 'ETASKLINE', 'line 1: uptime_s: expected seconds since boot, 0 or more, got -1'],
    ['{"page_size":0}', 'ETASKLINE', 'line 1: page_size: expected an integer 1..4294967295, got 0'],
    ['{"hz":100,"boot":1}', 'ETASKLINE', /^line 1: "boot": expected/],
    ['{"schema":2}', 'ESCHEMA', /^line 1: schema: expected 1 or older, got 2; read it with the badness that wrote it/],
    ['{"schema":"1"}', 'ETASKLINE', 'line 1: schema: expected an integer 1..1, got "1"'],
    ['[1]', 'ETASKLINE', 'line 1: expected one JSON object, got [1]'],
    ['null', 'ETASKLINE', 'line 1: expected one JSON object, got null'],
    ['{"tgid":1}\n\nnonsense\x1b', 'ETASKLINE', 'line 3: expected one JSON object, got "nonsense\\u001b"'],
    [
      '['.repeat(1 << 18) + ']'.repeat(1 << 18),
      'ETASKLINE',
      'line 1: expected one JSON object, got something too deep',
    ],
    [`{"tgid":1,"comm":${'['.repeat(1 << 18)}${']'.repeat(1 << 18)}}`, 'ETASKLINE', /^line 1: comm: .* too deep$/],
    [`{"comm":"${'x'.repeat(1 << 20)}"}`, 'ETASKLINE', /^line 1: expected at most 1048576 characters, got/],
  ];
  for (const [text, code, message] of rows) {
    test(text.length > 60 ? `${text.slice(0, 60)}…` : JSON.stringify(text), () => {
      const error = refusal(text);
      assert.equal(error.code, code);
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
    });
  }

  test('any text is read or refused with a code, never anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        try {
          parseTaskLines(text);
        } catch (error) {
          assert.ok(error instanceof BadnessError);
          assert.match(error.message, /^line \d+: /);
        }
      }),
    );
  });
});

describe('task records: nothing is lost', () => {
  const tasks = fc.uniqueArray(arbitraryTask, { maxLength: 32, selector: ({ tgid }) => tgid });

  test('a task written and read is the same task', () => {
    fc.assert(
      fc.property(tasks, (given: Task[]) => {
        const text = given.map((task) => JSON.stringify(taskToRecord(task))).join('\n');
        assert.deepEqual(parseTaskLines(text).tasks, given);
      }),
    );
  });

  test('a machine written and read is the same machine', () => {
    const machine = { hz: 250, pageSize: 65536, uptimeS: 12.34, totalPages: 2 ** 40 };
    const options = { scheme: 'family', maxDiscount: 7, age: 'spare-young', adj: 'kernel' } as const;
    const read = parseTaskLines(JSON.stringify(machineToRecord(machine, options)));
    assert.deepEqual(read.machine, machine);
    assert.deepEqual(read.options, options);
  });

  test('a ranking of what a ranking wrote is the same, in every scheme', async () => {
    const engine = await openEngine({ maxTasks: 64 });
    const machine = { hz: 100, pageSize: 4096, uptimeS: 86400, totalPages: 1 << 20 };
    const write = (given: Task[], scheme: (typeof SCHEMES)[number]) => {
      loadTasks(engine, given, machine);
      const { ranked } = rankTasks(engine, { scheme, totalPages: machine.totalPages });
      return [...ranked, ...ineligibleTasks(engine, scheme)].map((task) => JSON.stringify(rankedToRecord(task)));
    };
    fc.assert(
      fc.property(tasks, fc.constantFrom(...SCHEMES), (given, scheme) => {
        const once = write(given, scheme);
        assert.deepEqual(write(parseTaskLines(once.join('\n')).tasks, scheme), once);
      }),
      { numRuns: 300 },
    );
  });

  test('a ranked task has every key but cgroup, in the order of RECORD_KEYS', async () => {
    const engine = await openEngine({ maxTasks: 1 });
    loadTasks(engine, [{ tgid: 5 }], MACHINE_DEFAULTS);
    rankTasks(engine);
    const [task] = ineligibleTasks(engine);
    assert.deepEqual(
      Object.keys(rankedToRecord(task!)),
      RECORD_KEYS.filter((key) => key !== 'cgroup'),
    );
  });
});

test('nearestWord: the fewest letters to change', () => {
  assert.equal(nearestWord('lnux-2.6.10', SCHEMES), 'linux-2.6.10');
  assert.equal(nearestWord('', ['a', 'b']), 'a');
});
