/** Policy files: what is wrong is named by file, line and key; what is right becomes frozen policies, one for each domain. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { definePolicy, PolicyFileError, parsePolicy } from '../../src/policy/index.js';

const lines = (...text: string[]) => text.join('\n');
const policyOf = async (text: string) => (await parsePolicy(`version = 1\n${text}`)).policies[0]!;

/** What parsing says is wrong, each with its line. */
async function wrongIn(text: string): Promise<string[]> {
  try {
    await parsePolicy(text, 'a.toml');
  } catch (error) {
    assert.ok(error instanceof PolicyFileError);
    assert.equal(error.code, 'EPOLICY');
    assert.equal(error.message, error.problems.map((one) => `a.toml:${one.line}: ${one.text}`).join('\n'));
    return error.problems.map((one) => `${one.line}: ${one.text}`);
  }
  return assert.fail('nothing is wrong in it');
}

test('policy file: version alone gives the defaults, and it must be there', async () => {
  const { policies, control } = await parsePolicy('version = 1');
  assert.deepEqual(policies, [definePolicy()]);
  assert.deepEqual(control, { socket: 'auto', mode: '0600', group: null, selfProtect: false });
  assert.deepEqual(await wrongIn(''), ['1: version must be 1, got nothing']);
  assert.deepEqual(await wrongIn('\nversion = "1"'), ['2: version must be 1, got "1"']);
});

test('policy file: a newer one is refused by name, and nothing else in it is judged', async () => {
  const words = 'version must be 1, got 2: the file is for a newer badness than this one';
  assert.deepEqual(await wrongIn('new_key = 1\nversion = 2'), [`2: ${words}`]);
});

test('policy file: a version of another kind is refused by name, whatever it is', async () => {
  for (const [version, came] of [
    ['version.a = 1', 'an object'],
    ['version.toString = 1', 'an object'],
    ['version = [[]]', 'an array'],
    ['version = 1979-05-27', 'an object'],
    ['version = "1"', '"1"'],
  ] as const) {
    assert.deepEqual(await wrongIn(version), [`1: version must be 1, got ${came}`]);
  }
});

test('policy file: keys are those of definePolicy, in small letters with _', async () => {
  const text = lines(
    'no_victim = "panic"',
    'never = ["postgres"]',
    'parameters = { max_discount = 9 }',
    'thresholds.term = { available = "20%", swap_free = { percent = 5, bytes = 100 } }',
    '[panic]',
    'hand_off_ms = 1',
    '[[notify]]',
    'on = "before_kill"',
    'webhook = "http://localhost/x"',
    'limit_ms = 7',
  );
  const expected = definePolicy({
    noVictim: 'panic',
    never: ['postgres'],
    parameters: { maxDiscount: 9 },
    thresholds: { term: { available: '20%', swapFree: { percent: 5, bytes: 100 } } },
    panic: { handOffMs: 1 },
    notify: [{ on: 'before_kill', webhook: 'http://localhost/x', limitMs: 7 }],
  });
  assert.deepEqual(await policyOf(text), expected);
});

/** Each text stands below `version = 1`; what it says is wrong, by line. */
const WRONG: [text: string, ...said: (string | RegExp)[]][] = [
  ['treshold = 1', '2: treshold is not known; the nearest key is thresholds'],
  ['max_discount = 1', '2: max_discount is not known; the nearest key is parameters.max_discount'],
  ['rules = []', '2: rules is not known; the nearest key is rule'],
  ['noVictim = "none"', '2: noVictim is not known; the nearest key is no_victim'],
  [
    'parameters.maxDiscount = 4',
    /^2: parameters\.maxDiscount is not known; keys have small letters and _, such as max_disc/,
  ],
  ['[thresholds.term]\nswap = 1', '3: thresholds.term.swap is not known; the nearest key is swap_free'],
  ['[panic]\n\nhand_of_ms = 1', '4: panic.hand_of_ms is not known; the nearest key is hand_off_ms'],
  ['enforce = "yes"', '2: enforce must be true or false, got "yes"'],
  ['enforce = 2020-01-01', '2: enforce must be true or false, got an object'],
  ['scheme = "badnes"', /^2: scheme must be one of .* \(the nearest is badness\), got "badnes"$/],
  ['never = [\n "ok",\n 1\n]', '4: never[1] must be a name or pattern of a comm, got 1'],
  ['panic = 5', /^2: panic must be an object with keys hand_off_ms, delay_s, end, allow_reboot, got 5$/],
  [
    'escalation.stuck_ms = 29000',
    /^2: limits\.react\.each_ms must be at least escalation\.term_ms \+ escalation\.stuck_ms \(32000\)/,
  ],
  [
    '[panic]\nend = "reboot"',
    /^3: panic\.end must be something else while panic\.allow_reboot is not true, got "reboot"$/,
  ],
  [
    'notify = [{ on = "beforeKill", desktop = true }]',
    /^2: notify\[0\]\.on must be one of warn, before_kill, after_kill \(the nearest is before_kill\)/,
  ],
  [
    '[[notify]]\non = "warn"',
    '2: notify[0] must be an entry with exactly one of command, webhook, desktop, got nothing',
  ],
  ['[[notify]]\non = "warn"\ncommand = [""]', '4: notify[0].command[0] must be the name or path of a program, got ""'],
  ['[control]\nsocket = "here"', /^3: control\.socket must be one of auto, off \(the nearest is auto\), got "here"$/],
  ['[control]\nmode = "777"', '3: control.mode must be four octal digits such as \'0660\', got "777"'],
  [
    '[[rule]]\ncomm = "x"',
    '2: rule[0] must be a rule with exactly one of never, times, plus, minus, class, got nothing',
  ],
  [
    '[[rule]]\nnever = true',
    /^2: rule\[0\] must be a rule with at least one of comm, exe, cmdline, user, cgroup, ancestor, age, memory/,
  ],
  [
    '[[rule]]\ncomm = "x"\nnever = true\n[[rule]]\ncomm = "y"\ntimes = "0/3"\n',
    /^7: rule\[1\]\.times must be a ratio such as '3\/2'/,
  ],
  [
    '[[rule]]\ncomm = "/(/"\nnever = true',
    /^3: rule\[0\]\.comm must be a regular expression of RE2 \(.*missing closing/,
  ],
  ['[[rule]]\ncomm = "/(?=x)/"\nnever = true', /^3: rule\[0\]\.comm must be a regular expression of RE2/],
  ['rule = 3', '2: rule must be an array, got 3'],
  ['domain = []', '2: domain must be an array of at least 1, got an array'],
  ['domain = [1]', /^2: domain\[0\] must be a table with keys of, enforce, scheme/],
  ['[[domain]]\nenforce = true', /^2: domain\[0\]\.of must be one of auto, system, got nothing$/],
  ['[[domain]]\nof = "system"\nversion = 1', '4: domain[0].version is not known; the nearest key is reaction'],
  [
    '[[domain]]\nof = "auto"\n[domain.thresholds]\nterm.available = 1',
    /^5: domain\[0\]\.thresholds\.term\.available must be/,
  ],
  [
    '[[domain]]\nof = "auto"\n[[domain]]\nof = "auto"',
    '5: domain[1].of must be a domain that no other table is of, got "auto"',
  ],
];

for (const [text, ...said] of WRONG) {
  test(`policy file: ${JSON.stringify(text)} is refused by line and key`, async () => {
    const found = await wrongIn(`version = 1\n${text}`);
    assert.equal(found.length, said.length, found.join('\n'));
    for (const [index, words] of said.entries()) {
      if (typeof words === 'string') assert.equal(found[index], words);
      else assert.match(found[index]!, words);
    }
  });
}

test('policy file: everything wrong is said at once, in the order of the lines', async () => {
  const text = lines(
    'version = 1',
    '[[rule]]',
    'comm = "/(/"',
    'never = true',
    '[[rule]]',
    'exe = "bin/x"',
    'never = true',
    '[escalation]',
    'term_ms = -1',
    '[gates]',
  );
  const found = (await wrongIn(text)).map((line) => line.split(' ', 2).join(' '));
  assert.deepEqual(found, ['3: rule[0].comm', '6: rule[1].exe', '9: escalation.term_ms', '10: gates']);
});

test('policy file: what is no TOML is refused with line and column', async () => {
  assert.deepEqual(await wrongIn('version = 1\nnever = [\n'), ['3: is no TOML at column 1: invalid value']);
  const [said] = await wrongIn('version = 1\nversion = 1');
  assert.match(said!, /^2: is no TOML at column 1: /);
  const [deep] = await wrongIn(`version = 1\nx = ${'['.repeat(40)}${']'.repeat(40)}`);
  assert.match(deep!, /^2: is no TOML/);
});

describe('policy file: several domains', () => {
  const text = lines(
    'version = 1',
    'never = ["a"]',
    'thresholds.term.available = "20%"',
    'gate = { kind = "rate", calls = 3 }',
    'limits.warn.each_ms = 1',
    '[[rule]]',
    'comm = "x"',
    'never = true',
    '[[domain]]',
    'of = "system"',
    '[[domain]]',
    'of = { numa_node = 1 }',
    'gate = "level"',
    'never = []',
    'rule = []',
    'thresholds.kill.available = "1%"',
    'limits.warn.whole_ms = 2',
    'thresholds.term.swap_free = "30%"',
  );

  test('each is the policy above, with what its table says over it', async () => {
    const { policies } = await parsePolicy(text);
    const above = {
      never: ['a'],
      thresholds: { term: { available: '20%' } },
      gate: { kind: 'rate', calls: 3 },
      limits: { warn: { eachMs: 1 } },
      rules: [{ comm: 'x', never: true }],
    } as const;
    assert.deepEqual(policies[0], definePolicy({ ...above, domain: 'system' }));
    const second = definePolicy({
      domain: { numaNode: 1 },
      thresholds: { term: { available: '20%', swapFree: '30%' }, kill: { available: '1%' } },
      gate: 'level',
      never: [],
      limits: { warn: { eachMs: 1, wholeMs: 2 } },
    });
    assert.deepEqual(policies[1], second);
    assert.equal(policies.length, 2);
  });

  test('what stands above is judged with each, said once, and on the line where it stands', async () => {
    const found = await wrongIn(text.replace('"20%"', '20').replace('"1%"', '"x"'));
    assert.deepEqual(
      found.map((line) => line.split(' ', 2).join(' ')),
      ['3: thresholds.term.available'],
    );
    const crossed = await wrongIn(text.replace('"1%"', '"50%"'));
    assert.deepEqual(crossed, ['3: thresholds.term.available must be at least kill.available (50%), got "20%"']);
  });
});

test('policy file: it is frozen as a whole', async () => {
  const file = await parsePolicy('version = 1\n[[domain]]\nof = "auto"\n[[domain.rule]]\ncomm = "x"\ntimes = 2');
  assert.ok(Object.isFrozen(file) && Object.isFrozen(file.policies) && Object.isFrozen(file.control));
  assert.ok(Object.isFrozen(file.policies[0]!.rules[0]));
  assert.equal(file.policies[0]!.rules[0]!.times, '2/1');
});

test('policy file: the names of prototypes are keys that are not known, and nothing is written to them', async () => {
  const keys = [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    '"__proto__"',
    'thresholds.__proto__',
    'constructor.prototype',
  ];
  for (const key of keys) {
    for (const text of [`${key} = { enforce = true }`, `[${key}]\nenforce = true`, `${key}.enforce = true`]) {
      await assert.rejects(parsePolicy(`version = 1\n${text}\n`), { code: 'EPOLICY', message: /is not known/ }, text);
    }
  }
  assert.equal((await parsePolicy('version = 1')).policies[0]!.enforce, false);
  assert.deepEqual(Object.keys(Object.prototype), []);
});

test('policy file: one that has more mistakes than anybody reads is refused all the same, each mistake once', async () => {
  const text = `version = 1\n${Array.from({ length: 5000 }, (_, index) => `key_${index} = 1\n`).join('')}`;
  await assert.rejects(parsePolicy(text), (error: { problems: unknown[] }) => error.problems.length === 5000);
});
