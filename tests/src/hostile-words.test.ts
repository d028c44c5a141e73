// What strangers named and wrote, in everything that the command line prints for people: nothing in it moves a cursor, ends a line or turns text around.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parsePolicy, policyToToml } from '../../src/policy/index.js';
import { badness } from './support/badness.js';

/** Codes of a terminal in seven and in eight bits, a title, a mark that turns text around, a line end of Unicode. */
const EVIL = '\u001b[2J\u009b31m\u001b]0;x\u0007\u202e\u2028';
const TOML_EVIL = '\\u001b[2J\\u009b31m\\u001b]0;x\\u0007\\u202e\\u2028\\n';
const folder = mkdtempSync(join(tmpdir(), 'badness-words-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const badPolicy = file(
  `p${EVIL}.toml`,
  `version = 1\n"${TOML_EVIL}" = 1\nscheme = "${TOML_EVIL}"\n[[rule]]\ncomm = "/(${TOML_EVIL}/"\nnever = true\n`,
);
const goodPolicy = file(
  `g${EVIL}.toml`,
  `version = 1\nnever = ["a"]\n[[rule]]\ncmdline = "${TOML_EVIL}*"\nclass = "first"\n`,
);
const badScenario = file(`s${EVIL}.toml`, `version = 1\n"${TOML_EVIL}" = 1\nname = "${TOML_EVIL}"\n`);
const badCases = file(`c${EVIL}.toml`, `version = 1\n[[case]]\n"${TOML_EVIL}" = 1\n`);
const records = file(
  `t${EVIL}.ndjson`,
  `${JSON.stringify({ tgid: 5, comm: `x${EVIL}`.slice(0, 12), rss_pages: 900, uid: 4_000_000, total_vm_pages: 999 })}\n`,
);
const badRecords = file('bad.ndjson', `{"${EVIL}":1}\n`);
const log = file(
  `l${EVIL}.log`,
  `[ 1.0] a${EVIL} invoked oom-killer: gfp_mask=0x0, order=0, oom_score_adj=0\n[ 2.0] Killed process 7 (b${EVIL}) total-vm:1kB, anon-rss:1kB, file-rss:0kB\n`,
);
const recording = 'tests/fixtures/hostile.proc';
const badRecording = file('bad.proc', `badness-recording 1\n${EVIL}\n`);
const badSettings = file('earlyoom', `EARLYOOM_ARGS="--avoid '(${EVIL}'"\n`);

const COMMANDS: readonly (readonly string[])[] = [
  ['policy', 'check', badPolicy],
  ['policy', 'check', goodPolicy],
  ['policy', 'show', goodPolicy],
  ['policy', 'import-earlyoom', badSettings],
  ['rank', '--tasks', records],
  ['rank', '--tasks', badRecords],
  ['rank', '--policy', badPolicy],
  ['explain', '5', '--tasks', records],
  ['compare', '--tasks', records],
  ['report', log],
  ['report', log, '--policy', badPolicy],
  ['simulate', badScenario],
  ['simulate', 'scenarios/fork-bomb.toml', '--policy', badPolicy],
  ['test', goodPolicy, badCases],
  ['whatif', recording, '--policy', goodPolicy],
  ['whatif', badRecording, '--policy', goodPolicy],
  ['guard', '--replay', recording, '--policy', goodPolicy],
  ['guard', '--replay', badRecording],
  ['guard', `--scheme=${EVIL}`],
  [`${EVIL}`],
];

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
const OBEYED = /[\x00-\x09\x0b-\x1f\x7f-\x9f]|\p{Cf}|\u2028|\u2029/u;

describe('hostile words', () => {
  for (const command of COMMANDS) {
    const [name] = command.join(' ').replaceAll(folder, '').split(EVIL);
    test(`hostile words: badness ${name} prints nothing that a terminal obeys`, () => {
      const { stdout, stderr } = badness([...command]);
      assert.ok(stdout + stderr !== '');
      for (const text of [stdout, stderr])
        assert.ok(!OBEYED.test(text), JSON.stringify(OBEYED.exec(text)?.input.slice(0, 400)));
    });
  }

  test('hostile words: a key of a file goes on in no line of its own', () => {
    const { stderr } = badness(['policy', 'check', badPolicy]);
    assert.ok(
      stderr
        .trimEnd()
        .split('\n')
        .every((line) => /^(.*\.toml:\d+: |badness: )/.test(line)),
      stderr,
    );
  });

  test('hostile words: a policy that is shown is escaped, and read again the same', async () => {
    const text = `version = 1\nnever = ["${EVIL.slice(0, 1)}"]\n`.replace(
      '\u001b',
      '\\u001b\\u009b\\u202e\\U0010FFFF\\U000E0001',
    );
    const file = await parsePolicy(text);
    const shown = policyToToml(file);
    assert.match(shown, /\["\\u001b\\u009b\\u202e\\U0010ffff\\U000e0001"\]/);
    assert.deepEqual((await parsePolicy(shown)).policies, file.policies);
  });
});
