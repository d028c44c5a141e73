// `badness policy`: what each command line exits with, and what it says where. Every row runs the built command.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { badness } from './support/badness.js';
import { type CommandLine, testLines } from './support/command-lines.js';
import { ownFiles } from './support/own-folder.js';

const { folder, write: file } = ownFiles();

const GOOD = file('good.toml', 'version = 1\n[[rule]]\ncomm = "/^x/"\nnever = true\n');
const TWO = file('two.toml', 'version = 1\n[[domain]]\nof = "system"\n[[domain]]\nof = { memcg = "/a" }\n');
const BAD = file('bad.toml', 'version = 1\nscheme = "badnes"\nfoo = 1\n');
const NEWER = file('newer.toml', 'version = 9\n');
const LATIN = file('latin.toml', new Uint8Array([0xe9]));
const LARGE = file('large.toml', new Uint8Array(2 ** 20 + 1).fill(10));

const NONE = /^$/;

const ROWS: CommandLine[] = [
  ['policy --help', 0, /^Usage: badness policy check FILE[\s\S]*\n 14 {2}bad policy file; [^\n]*\n$/, NONE],
  ['--help', 0, /\n {2}policy +checks a policy file[\s\S]*\n 14 {2}bad policy file/, NONE],
  [`policy check ${GOOD}`, 0, /good\.toml: good, 1 domain, 1 rule\n$/, NONE],
  [`policy check ${TWO}`, 0, /two\.toml: good, 2 domains, 0 rules\n$/, NONE],
  [
    `policy check ${BAD}`,
    14,
    NONE,
    /bad\.toml:2: scheme must be one of .*\n.*bad\.toml:3: foo is not known; .*\nbadness: .*bad\.toml: 2 errors\n$/,
  ],
  [`policy check ${NEWER}`, 14, NONE, /newer\.toml:1: version must be 1, got 9: the file is for a newer badness/],
  [`policy show ${BAD}`, 14, NONE, /bad\.toml:2: scheme/],
  [`policy check ${folder}/none`, 7, NONE, /^badness: expected a policy file at .*none, got ENOENT\n$/],
  [`policy check ${folder}`, 7, NONE, /^badness: expected a policy file at .*, got EISDIR\n$/],
  [
    `policy check ${LATIN}`,
    7,
    NONE,
    /^badness: expected a policy file at .*latin\.toml, got text that is not UTF-8\n$/,
  ],
  [`policy check ${LARGE}`, 7, NONE, /large\.toml, got more than 1048576 bytes\n$/],
  ['policy import-earlyoom /dev/zero', 7, NONE, /settings of earlyoom at \/dev\/zero, got more than 1048576 bytes\n$/],
  ['policy', 2, NONE, /^badness: expected one of check, show, schema, import-earlyoom; see badness policy --help\n$/],
  ['policy chek', 2, NONE, /must be one of check, show, schema, import-earlyoom, got "chek"/],
  ['policy check', 2, NONE, /^badness: policy check: expected a FILE, got nothing/],
  [`policy check ${GOOD} ${TWO}`, 2, NONE, /^badness: policy check: nothing may follow, got /],
  [`policy schema ${GOOD}`, 2, NONE, /^badness: policy schema: nothing may follow, got /],
  [`policy check --effective ${GOOD}`, 2, NONE, /^badness: --effective goes with show, got check\n$/],
  [`policy check --json ${GOOD}`, 2, NONE, /^badness: Unknown option '--json'/],
  [`policy show ${GOOD}`, 0, /^version = 1\n\n\[\[rule\]\]\ncomm = "\/\^x\/"\nnever = true\n$/, NONE],
  ['policy show', 0, /^version = 1\n[\s\S]*\nscheme = "badness" {2}# default\n[\s\S]*"Xorg",/, NONE],
];

describe('policy: exit code, data on standard output, words on standard error', () => {
  testLines(ROWS, folder);

  test('what show prints passes check, whole or in short, and shows the same again', () => {
    const whole = (path: string) =>
      badness(['policy', 'show', '--effective', path]).stdout.replace(/ {2}# default.*/g, '');
    for (const path of [GOOD, TWO]) {
      for (const how of [[], ['--effective']]) {
        const again = file('again.toml', badness(['policy', 'show', ...how, path]).stdout);
        assert.equal(badness(['policy', 'check', again]).status, 0);
        assert.equal(whole(again), whole(path));
      }
    }
  });

  test('what stands in a file, or is its name, reaches the terminal as text and no more', () => {
    const evil = file('evil\u001b[31m.toml', 'version = 1\n"\\u001b]0;title\\u0007 \\u202e" = 1\n');
    const { status, stderr } = badness(['policy', 'check', evil]);
    assert.equal(status, 14);
    assert.match(stderr, /evil\\e\[31m\.toml:\d: \\e\]0;title\\x07 \\u\{202e\} is not known/);
    const missing = badness(['policy', 'check', '/no\u009bwhere']);
    assert.equal(missing.stderr, 'badness: expected a policy file at /no\\u{9b}where, got ENOENT\n');
    for (const said of [stderr, missing.stderr]) assert.doesNotMatch(said.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
  });

  test('schema prints what is published', () => {
    assert.equal(badness(['policy', 'schema']).stdout, readFileSync('dist/badness.schema.json', 'utf8'));
  });
});
