// `badness simulate` and `badness test`: what each command line exits with, and what it says where. Every row runs the built command.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { badness, records } from './support/badness.js';
import { type CommandLine, testLines } from './support/command-lines.js';
import { ownFiles } from './support/own-folder.js';

const { folder, write: file } = ownFiles();
mkdirSync(join(folder, 'cases'));

/** A leak of a hostile name, which SIGTERM ends at once. */
const LEAK = file(
  'leak.toml',
  `version = 1
name = "leak"
lasts = "20s"
[machine]
memory = "1GiB"
[[task]]
comm = "web"
memory = "300MiB"
age = "2d"
cpu_per_mille = 200
[[task]]
comm = "<a>&'\\"\\u001b[31m"
growth = "100MiB"
culprit = true
`,
);
const BAD = file('bad.toml', 'version = 1\n[machine]\nmemory = "1GB"\n');
const POLICY = file('badness.toml', 'version = 1\n');
const NEVER = file('never.toml', 'version = 1\nnever = ["*"]\n');
const STALLS = file('stalls.toml', 'version = 1\npressure.psi.term = 20\n');
const MODULE = file('module.toml', 'version = 1\nscheme = { module = "file:///x.js", export = "go" }\n');
const GOOD_CASE = file(
  'cases/good.toml',
  'version = 1\n[[case]]\nname = "the leak goes # first"\nscenario = "../leak.toml"\nruns = 2\nexpect.only = ["<a>*"]\nexpect.within = "1s"\n',
);
const BAD_CASE = file(
  'cases/bad.toml',
  'version = 1\n[[case]]\nname = "<web> \\"goes\\""\nscenario = "../leak.toml"\nexpect.victim = "web"\nexpect.kills = 0\n',
);
const NO_CASE = file(
  'cases/none.toml',
  'version = 1\n[[case]]\nname = "x"\nscenario = "nowhere.toml"\nexpect.kills = 0\n',
);
const WRONG_CASE = file('cases/wrong.toml', 'version = 1\n[[case]]\nnam = "x"\n');

const RECORDING = join(process.cwd(), 'tests/fixtures/limited-group.proc');
const RECORDED = file(
  'cases/recorded.toml',
  `version = 1\n[[case]]\nname = "it would be task3"\nrecording = "${RECORDING}"\nexpect = { victim = "task3", kills = 1 }\n`,
);
const RECORDED_BAD = file(
  'cases/recorded-bad.toml',
  `version = 1\n[[case]]\nname = "never"\nrecording = "${RECORDING}"\nexpect.never = ["task*"]\n`,
);

/** Two cases of one recording without its last line. */
const CUT_OFF = file('cut-off.proc', readFileSync(RECORDING, 'utf8').replace(/end\n$/, ''));
const OF_CUT_OFF = file(
  'cases/cut-off.toml',
  `version = 1\n${`[[case]]\nname = "x"\nrecording = "${CUT_OFF}"\nexpect.victim = "task3"\n`.repeat(2)}`,
);

const NONE = /^$/;

const ROWS: CommandLine[] = [
  ['simulate --help', 0, /^Usage: badness simulate SCENARIO[\s\S]*\n 20 {2}bad scenario or case file[^\n]*\n$/, NONE],
  ['test -h', 0, /^Usage: badness test POLICY CASES/, NONE],
  ['--help', 0, /\n {2}simulate SCENARIO[\s\S]*\n {2}test POLICY CASES[\s\S]*\n 20 {2}bad scenario/, NONE],
  [
    `simulate ${LEAK}`,
    0,
    /^leak\n1\.00 GiB of memory, no swap, 20 s, seed 1\n[\s\S]*\nno guard[\s\S]*\ndefault policy /,
    NONE,
  ],
  [
    `simulate ${LEAK} --seed 9 --runs 2`,
    0,
    /2 runs from seed 9, means \(most\)\n[\s\S]*default policy, seed 9: 1 kill\n/,
    NONE,
  ],
  [`simulate ${LEAK} --scheme all`, 0, /\nscheme linux-2\.4 [\s\S]*\nscheme family /, NONE],
  [`simulate ${LEAK} --policy ${POLICY} --policy ${NEVER}`, 0, /badness\.toml [\s\S]*never\.toml /, NONE],
  [
    `simulate ${LEAK} --policy ${STALLS}`,
    0,
    /stalls\.toml/,
    /^badness: .*stalls\.toml: not simulated: stalls \(pressure\.psi\)/,
  ],
  [`simulate ${LEAK} --policy ${MODULE}`, 14, NONE, /a scheme from a module cannot be simulated/],
  [`simulate ${LEAK} -n 2`, 0, /… and \d+ more; -n shows more …/, NONE],
  ['simulate', 2, NONE, /^badness: simulate: expected a SCENARIO, got nothing/],
  [`simulate ${LEAK} --seed -1`, 2, NONE, /--seed/],
  [`simulate ${LEAK} --seed x`, 2, NONE, /^badness: --seed must be an integer 0\.\.4294967295, got "x"\n$/],
  [`simulate ${LEAK} --runs 0`, 2, NONE, /--runs must be an integer 1\.\.1000, got "0"/],
  [`simulate ${LEAK} --scheme badnes`, 4, NONE, /unknown scheme "badnes", the nearest is badness/],
  [`simulate ${LEAK} ${LEAK} --svg ${folder}/x.svg`, 2, NONE, /--svg is for one scenario, got 2/],
  [`simulate ${LEAK} --svg ${folder}/none/x.svg`, 7, NONE, /^badness: expected to write .*x\.svg, got ENOENT\n$/],
  [
    `simulate ${BAD}`,
    20,
    NONE,
    /bad\.toml:3: machine\.memory must be a size .*got "1GB"\nbadness: .*bad\.toml: 1 error\n$/,
  ],
  [`simulate ${LEAK} ${BAD}`, 20, NONE, /bad\.toml:3/],
  ['simulate /dev/zero', 7, NONE, /^badness: expected a scenario file at \/dev\/zero, got more than 1048576 bytes\n$/],
  [`simulate ${folder}/none`, 7, NONE, /^badness: expected a scenario file at .*none, got ENOENT\n$/],
  [`simulate ${LEAK} --policy ${BAD}`, 14, NONE, /bad\.toml:2: machine is not known/],
  [
    `test ${POLICY} ${GOOD_CASE}`,
    0,
    /^passed {2}the leak goes # first \(2 runs\)\n1 case, 1 passed, 0 failed\n$/,
    NONE,
  ],
  [
    `test ${POLICY} ${GOOD_CASE} ${BAD_CASE}`,
    21,
    /\nFAILED {2}<web> "goes"\n[\s\S]*\n2 cases, 1 passed, 1 failed\n$/,
    NONE,
  ],
  [
    `test ${NEVER} ${GOOD_CASE}`,
    21,
    /2 of 2 runs\n {10}within\n {12}- expected {2}short for at most 1000 ms at a time\n {12}\+ got/,
    NONE,
  ],
  [`test ${POLICY} ${NO_CASE}`, 7, NONE, /^badness: expected a scenario file at .*nowhere\.toml, got ENOENT/],
  [`test ${POLICY} ${WRONG_CASE}`, 20, NONE, /wrong\.toml:3: case\[0\]\.nam is not known; the nearest key is name\n/],
  [`test ${POLICY} ${OF_CUT_OFF}`, 0, /\n2 cases, 2 passed/, /^badness: .*cut-off\.proc was cut off: [^\n]*\n$/],
  [`test ${POLICY} ${RECORDED}`, 0, /^passed {2}it would be task3\n/, NONE],
  [
    `test ${POLICY} ${RECORDED_BAD}`,
    21,
    /limited-group\.proc\n {10}never\n {12}- expected {2}never task\*\n {12}\+ got {7}task3 \(13536\) at 4\.02 s by the guard\n/,
    NONE,
  ],
  [`test ${BAD} ${GOOD_CASE}`, 14, NONE, /bad\.toml:2: machine is not known/],
  [`test ${POLICY}`, 2, NONE, /^badness: test: expected a POLICY and CASES, got 1 file/],
  ['test', 2, NONE, /^badness: test: expected a POLICY and CASES, got 0 files/],
];

describe('simulate and test: exit code, data on standard output, words on standard error', () => {
  testLines(ROWS, folder);

  test('what was killed is in the timeline, and no name reaches the terminal as it is', () => {
    const { stdout } = badness(['simulate', LEAK]);
    assert.match(stdout, /killed <a>&'"\\e\[31m \(1001\), \d+ MiB, guilty\n/);
    assert.ok(!stdout.includes('\x1b'));
  });

  test('--json: one object a run, with every kill; the same seed gives the same bytes', () => {
    const run = () => badness(['simulate', LEAK, '--json', '--runs', '2']).stdout;
    const objects = records(run());
    assert.deepEqual(
      objects.map(({ schema, policy, seed, innocents_killed }) => [schema, policy, seed, innocents_killed]),
      [
        [1, 'no guard', 1, 0],
        [1, 'no guard', 2, 0],
        [1, 'default policy', 1, 0],
        [1, 'default policy', 2, 0],
      ],
    );
    const [kill] = objects[2]!.kills as Record<string, unknown>[];
    assert.deepEqual([kill!.by, kill!.tgid, kill!.culprit], ['guard', 1001, true]);
    assert.equal(run(), run());
  });

  test('--svg: one document without script, in which no name can be markup', () => {
    const path = join(folder, 'plot.svg');
    badness(['simulate', LEAK, '--svg', path]);
    const svg = readFileSync(path, 'utf8');
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[\s\S]*<\/svg>\n$/);
    assert.ok(svg.includes('&lt;a&gt;&amp;&#39;&quot;\ufffd[31m'));
    assert.ok(!svg.includes('\x1b'));
    assert.ok(!/<script|<a>|href|url\(|on\w+=/.test(svg));
    assert.match(svg, /prefers-color-scheme: dark/);
  });

  test('a scenario comes on standard input as well', () => {
    const { status, stdout } = badness(['simulate', '-'], { input: readFileSync(LEAK) });
    assert.deepEqual([status, stdout], [0, badness(['simulate', LEAK]).stdout]);
  });

  test('--tap: a plan, a line a case, the difference as YAML; names are no directives', () => {
    const { stdout, status } = badness(['test', POLICY, GOOD_CASE, BAD_CASE, '--tap']);
    const lines = stdout.split('\n');
    assert.deepEqual(lines.slice(0, 5), [
      'TAP version 14',
      '1..2',
      'ok 1 - the leak goes \\# first',
      'not ok 2 - <web> "goes"',
      '  ---',
    ]);
    assert.equal(lines.at(-2), '  ...');
    assert.equal(status, 21);
  });

  test('--junit: well-formed, a suite a file, a failure with the difference', () => {
    const path = join(folder, 'junit.xml');
    const { stdout, status } = badness(['test', POLICY, GOOD_CASE, BAD_CASE, '--junit', path]);
    assert.match(stdout, /^passed/);
    assert.equal(status, 21);
    const xml = readFileSync(path, 'utf8');
    assert.match(
      xml,
      /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="badness test" tests="2" failures="1">/,
    );
    assert.match(
      xml,
      /<testcase name="&lt;web&gt; &quot;goes&quot;" classname=".*cases\/bad\.toml">\n {6}<failure message="victim, kills">/,
    );
    assert.ok(xml.includes('&lt;a&gt;&amp;&#39;&quot;\\e[31m (1001, guilty)'));
    assert.equal(xml.match(/<testsuite /g)?.length, 2);
    const opened = [...xml.matchAll(/<(\w+)[^>]*[^/]>/g)].map(([, name]) => name).sort();
    const closed = [...xml.matchAll(/<\/(\w+)>/g)].map(([, name]) => name).sort();
    assert.deepEqual(opened, closed);
  });

  test('the example passes with its policy, and fails without it', () => {
    const cases = ['servers', 'desktop'].map((name) => `examples/policy-tests/cases/${name}.toml`);
    assert.equal(badness(['test', 'examples/policy-tests/badness.toml', ...cases]).status, 0);
    assert.equal(badness(['test', 'examples/policy-tests/defaults.toml', ...cases]).status, 21);
  });
});
