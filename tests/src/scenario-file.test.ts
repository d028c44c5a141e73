/** Scenario and case files: every error has line and key; the JSON schemas accept what the parsers do; the docs have every key. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'smol-toml';
import {
  CaseFileError,
  casesSchema,
  defineScenario,
  parseCases,
  parseScenario,
  ScenarioFileError,
  scenarioSchema,
} from '../../src/simulate/index.js';

const HEAD = 'version = 1\n[machine]\nmemory = "1GiB"\n';
const TASK = '[[task]]\ncomm = "x"\n';

const WRONG: [text: string, message: RegExp][] = [
  ['a =', /^f:1: is no TOML at column \d+: /],
  ['', /^f:1: version must be 1, got nothing$/],
  ['version = 2\nfoo = 1', /^f:1: version must be 1, got 2: the file is for a newer badness than this one$/],
  ['version = 1', /^f:1: machine\.memory must be a size .*got nothing$/],
  [`${HEAD}`, /^f:1: task must be an array, got nothing$/],
  [`version = 1\ntask = []\nmachine.memory = "1GiB"`, /^f:2: task must be an array of at least 1/],
  [`last = 3\n${HEAD}${TASK}`, /^f:1: last is not known; the nearest key is lasts$/],
  [`${HEAD}swapp = 1\n${TASK}`, /^f:4: machine\.swapp is not known; the nearest key is swap$/],
  [`${HEAD}${TASK}withParent = true`, /^f:6: task\[0\]\.withParent is not known; keys have small letters and _/],
  [
    `${HEAD}${TASK}with_parent = true`,
    /^f:5: task\[0\]\.parent must be there with with_parent, got ""$|^f:\d: task\[0\]\.parent must/,
  ],
  [`${HEAD}${TASK}parent = "y"`, /^f:6: task\[0\]\.parent must be the comm of another task, got "y"$/],
  [
    `${HEAD}${TASK}memory = "2GiB"\nmost = "1GiB"`,
    /^f:7: task\[0\]\.most must be at least memory \(2147483648 bytes\), got 1073741824$/,
  ],
  [`${HEAD}${TASK}settled = true`, /^f:\d: task\[0\]\.most must be there with settled, got nothing$/],
  [`${HEAD}used = "1GiB"\n${TASK}`, /^f:4: machine\.used must be less than memory/],
  [`${HEAD}${TASK}at = "5 s"`, /^f:6: task\[0\]\.at must be a span such as '250ms', .*got "5 s"$/],
  [
    `${HEAD}${TASK}count = 10000\nforks = "1s"\nfamily_most = 10`,
    /^f:4: task must be at most 20000 tasks at one time, forks included, got 100000$/,
  ],
];

test('scenario file: an error says the line, the key, what was expected and what came', async () => {
  for (const [text, message] of WRONG) {
    await assert.rejects(parseScenario(text, 'f'), (error) => {
      assert.ok(error instanceof ScenarioFileError, text);
      assert.equal(error.code, 'ESCENARIO');
      assert.match(error.message, message, text);
      return true;
    });
  }
});

test('scenario file: every error is told, in the order of the lines', async () => {
  const text = `nam = 1\n${HEAD}disk = 0\n[[task]]\ncomm = ""\n[[task]]\ncurve = "sine"\n`;
  await assert.rejects(parseScenario(text, 'f'), (error: ScenarioFileError) => {
    assert.deepEqual(
      error.problems.map(({ line }) => line),
      [1, 5, 7, 9],
    );
    return true;
  });
});

const ONE = 'version = 1\n[[case]]\nname = "a"\n';

const WRONG_CASES: [text: string, message: RegExp][] = [
  [`${ONE}expect.kills = 1`, /^f:2: case\[0\] must be a table with either scenario or recording, got nothing$/],
  [`${ONE}scenario = "a"\nrecording = "b"\nexpect.kills = 1`, /^f:2: case\[0\] must be .* recording, got "both"$/],
  [`${ONE}recording = "b"\nexpect.within = "1s"`, /^f:5: case\[0\]\.expect\.within must be left out with recording/],
  [
    `${ONE}recording = "b"\nruns = 2\nexpect.kills = 1`,
    /^f:5: case\[0\]\.runs must be left out with recording, got 2$/,
  ],
  ['version = 3', /^f:1: version must be 1, got 3: the file is for a newer/],
  ['version = 1', /^f:1: case must be an array, got nothing$/],
  [
    'version = 1\n[[case]]\nname = "a"\nscenario = "b"\n',
    /^f:2: case\[0\]\.expect must be a table with at least one of victim, .*kills_least/,
  ],
  ['version = 1\n[[case]]\nnam = "a"\n', /^f:3: case\[0\]\.nam is not known; the nearest key is name$/],
  ['version = 1\n[[case]]\nexpect.kils = 2\n', /^f:3: case\[0\]\.expect\.kils is not known; the nearest key is kills$/],
  [
    'version = 1\n[[case]]\nname = "a"\nscenario = "b"\nexpect = { kills = 1, kills_least = 2 }',
    /^f:5: case\[0\]\.expect\.kills_least must be at most kills \(1\), got 2$/,
  ],
];

test('case file: an error says the line, the key, what was expected and what came', async () => {
  for (const [text, message] of WRONG_CASES) {
    await assert.rejects(parseCases(text, 'f'), (error) => {
      assert.ok(error instanceof CaseFileError, text);
      assert.match(error.message, message, text);
      return true;
    });
  }
});

const PAGES = { scenario: 'docs/simulation.md', cases: 'docs/policy-tests.md' } as const;
const SCHEMAS = { scenario: scenarioSchema, cases: casesSchema } as const;
const page = (kind: keyof typeof PAGES) => readFileSync(PAGES[kind], 'utf8');
const compiled = (kind: keyof typeof PAGES) => new Ajv({ allErrors: true }).compile(SCHEMAS[kind](page(kind)));

test('schemas: what is published is what the code and the pages say', () => {
  for (const kind of ['scenario', 'cases'] as const) {
    const published = JSON.parse(readFileSync(`dist/${kind}.schema.json`, 'utf8'));
    assert.deepEqual(published, JSON.parse(JSON.stringify(SCHEMAS[kind](page(kind)))));
  }
});

test('schemas: they accept every file that is shipped, and the samples of the docs', async () => {
  const samples = [...page('scenario').matchAll(/^```toml\n([\s\S]*?)^```$/gm)].map(([, text]) => text!);
  const shipped = readdirSync('scenarios').map((file) => readFileSync(`scenarios/${file}`, 'utf8'));
  const accepts = compiled('scenario');
  assert.equal(samples.length, 1);
  for (const text of [...samples, ...shipped]) {
    await parseScenario(text);
    assert.ok(accepts(parse(text)), JSON.stringify(accepts.errors));
  }
  const acceptsCases = compiled('cases');
  const cases = [...page('cases').matchAll(/^```toml\n([\s\S]*?)^```$/gm)].map(([, text]) => text!);
  const folder = 'examples/policy-tests/cases';
  for (const text of [...cases, ...readdirSync(folder).map((file) => readFileSync(`${folder}/${file}`, 'utf8'))]) {
    await parseCases(text);
    assert.ok(acceptsCases(parse(text)), JSON.stringify(acceptsCases.errors));
  }
});

test('schemas: they refuse unknown keys and values of another kind', () => {
  const accepts = compiled('scenario');
  for (const text of [`foo = 1\n${HEAD}${TASK}`, `${HEAD}${TASK}count = "x"`, HEAD, `${HEAD}[[task]]\nmemory = 0`]) {
    assert.equal(accepts(parse(text)), false, text);
  }
});

test('docs: the defaults in simulation.md are those of the code, and every key stands there once', () => {
  const scenario = defineScenario({ machine: { memory: '1GiB' }, task: [{ comm: 'x' }] });
  const spelled = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const values = new Map<string, unknown>();
  const note = (prefix: string, table: object) => {
    for (const [key, value] of Object.entries(table)) values.set(prefix + spelled(key), value);
  };
  note('', scenario);
  note('machine.', scenario.machine);
  note('task.', scenario.task[0]!);
  const rows = [...page('scenario').matchAll(/^\| `([a-z][a-z_.]*)` \| `(.*?)` \|/gm)];
  assert.ok(rows.length > 30);
  for (const [, key, shown] of rows) assert.equal(shown, JSON.stringify(values.get(key!)), key);
  assert.throws(
    () => scenarioSchema(page('scenario').replace('| `task.age` |', '| `task.aeg` |')),
    /missing task\.age; not there task\.aeg$/,
  );
});
