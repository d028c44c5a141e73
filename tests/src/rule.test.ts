/** Rules as data and as arithmetic: what is refused, which of several counts, and what comes out, exactly. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CompiledRule,
  compileRules,
  definePolicy,
  flagRules,
  type Rule,
  type RuleInput,
} from '../../src/policy/index.js';
import { ratioOf } from '../../src/policy/rule.js';
import {
  type Answers,
  bytesBy,
  orderBy,
  orderedPoints,
  plainPoints,
  ratioBy,
  scaledPoints,
  shiftedPoints,
  verdictOf,
} from '../../src/policy/rule-verdict.js';
import fc, { RUNS, SEED } from './support/fast-check.js';

const ruleOf = (input: unknown): Rule => definePolicy({ rules: [input as RuleInput] }).rules[0]!;

test('rule: without size behind it, plus and first want 1 % of the total unless the rule says otherwise', () => {
  assert.deepEqual(ruleOf({ comm: 'x', plus: '1KiB' }), { comm: 'x', plus: 1024, least: { percent: 1 } });
  assert.deepEqual(ruleOf({ comm: 'x', class: 'first' }), { comm: 'x', class: 'first', least: { percent: 1 } });
  assert.deepEqual(ruleOf({ comm: 'x', class: 'first', least: '0B' }).least, { bytes: 0 });
  assert.equal(ruleOf({ comm: 'x', class: 'last' }).least, undefined);
  assert.equal(ruleOf({ comm: 'x', times: '4/1' }).least, undefined);
});

test('rule: a ratio has integers of 1 to 1,000, and stands as it was written', () => {
  assert.equal(ruleOf({ comm: 'x', times: '2/4' }).times, '2/4');
  assert.equal(ruleOf({ comm: 'x', times: 3 }).times, '3/1');
  assert.equal(ruleOf({ comm: 'x', times: '1000/0001' }).times, '1000/1');
});

const REFUSED: [rule: unknown, says: RegExp][] = [
  [
    { comm: 'x' },
    /^policy\.rules\[0\] must be a rule with exactly one of never, times, plus, minus, class, got nothing$/,
  ],
  [{ comm: 'x', never: true, times: 2 }, /exactly one of .*, got "never and times"$/],
  [{ never: true }, /at least one of comm, exe/],
  [{ comm: 'x', never: false }, /^policy\.rules\[0\]\.never must be true, or be left out, got false$/],
  [{ comm: 'x', times: 1.5 }, /times must be a ratio .* got 1\.5$/],
  [{ comm: 'x', times: '1/1001' }, /times must be a ratio/],
  [{ comm: 'x', times: '-1/2' }, /times must be a ratio/],
  [{ comm: 'x', times: [1, 2] }, /times must be a ratio/],
  [{ comm: 'x', plus: '5%' }, /plus must be a size/],
  [{ comm: 'x', class: 'worst' }, /class must be one of first, last/],
  [{ comm: 'x', never: true, least: '1%' }, /^policy\.rules\[0\]\.least must be left out/],
  [{ comm: 'sixteen-letters-x', never: true }, /^policy\.rules\[0\]\.comm must be at most 15 bytes/],
  [{ comm: '', never: true }, /comm must be a comm: a pattern/],
  [{ comm: '//', never: true }, /comm must be a comm: a pattern/],
  [{ cmdline: 'x'.repeat(1001), never: true }, /cmdline must be a command line: a pattern .*at most 1000/],
  [{ exe: 'bin/sh', never: true }, /exe must be a path, which begins with '\/', or '\*', got "bin\/sh"$/],
  [{ cgroup: 'a.slice', never: true }, /cgroup must be a path/],
  [{ user: '1000', never: true }, /user must be the name of a user, or a uid as a number, got "1000"$/],
  [{ user: -1, never: true }, /user must be an integer/],
  [{ age: {}, never: true }, /age must be an object with at least one key/],
  [{ age: { older: '2h', younger: '1h' }, never: true }, /age must be bounds that a task can be between/],
  [{ age: { older: '5 min' }, never: true }, /age\.older must be a span such as '10min'/],
  [{ memory: { more: '2GiB', less: '1GiB' }, never: true }, /memory must be bounds/],
  [{ memory: { more: '5%', less: '5%' }, never: true }, /memory must be bounds/],
];

test('rule: what is refused is named by its key', () => {
  for (const [rule, says] of REFUSED) {
    assert.throws(
      () => ruleOf(rule),
      (error: Error) => {
        assert.match(error.message, says);
        return error instanceof TypeError || error instanceof RangeError;
      },
    );
  }
});

test('rule: a regular expression that would take for ever elsewhere takes as long as its text', async () => {
  const [rule] = await compileRules(definePolicy({ rules: [{ comm: '/^(a+)+$/', never: true }] }).rules);
  assert.equal(rule!.comm!(`${'a'.repeat(4000)}b`), false);
  assert.equal(rule!.comm!('a'.repeat(4000)), true);
});

test('rule: the options of the guard are rules on comm, and who is avoided and preferred is avoided', async () => {
  const rules = flagRules({ ignore: '^ssh', prefer: 'java', avoid: '^(java|emacs)$' });
  assert.deepEqual(rules, [
    { comm: '/^ssh/', never: true },
    { comm: '/^(java|emacs)$/', times: '1/4' },
    { comm: '/java/', times: '4/1' },
  ]);
  assert.deepEqual(flagRules({}), []);
  const compiled = await compileRules(definePolicy({ rules }).rules);
  const java = verdictOf(
    compiled,
    compiled.map(({ comm }) => comm!('java')),
    false,
  );
  assert.deepEqual(ratioBy(java.times), { times: 1, over: 4 });
});

const compiled = (rules: readonly Rule[]): CompiledRule[] =>
  rules.map((rule, index) => {
    const ratio = rule.times === undefined ? null : ratioOf(rule.times);
    return { rule, number: index + 1, comm: null, uid: null, ratio, files: [] };
  });

/** Plainly: of each kind the first that matches. */
function plainly(rules: readonly Rule[], matched: readonly boolean[], points: number): number {
  const first = (has: (rule: Rule) => boolean) => rules.find((rule, index) => matched[index] && has(rule));
  if (first((rule) => rule.never === true)) return Number.NaN;
  const times = first((rule) => rule.times !== undefined)?.times ?? '1/1';
  const offset = first((rule) => (rule.plus ?? rule.minus) !== undefined);
  const order = first((rule) => rule.class !== undefined)?.class;
  const [n, d] = times.split('/').map(BigInt) as [bigint, bigint];
  const atLeastOne = (value: number) => (points > 0 ? Math.max(value, 1) : value);
  // Above 2^53 every step rounds, as the numbers do that hold the points.
  let result = points > 0 ? atLeastOne(Number((BigInt(points) * n) / d)) : points;
  result = Math.min(result, 2 ** 54) + (offset?.plus ?? 0);
  if (offset?.minus && points > 0) result = atLeastOne(result - offset.minus);
  const value = Math.min(result, 2 ** 54);
  return order === undefined || value <= 0 ? value : value * 2 ** (order === 'first' ? 200 : -200);
}

const term = fc.integer({ min: 1, max: 1000 });
const bytes = fc.oneof(fc.nat(100), fc.nat(2 ** 40)).map((value) => value + 1);
const effect: fc.Arbitrary<Rule> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Rule>({ never: true }) },
  { weight: 3, arbitrary: fc.tuple(term, term).map(([n, d]): Rule => ({ times: `${n}/${d}` })) },
  { weight: 2, arbitrary: bytes.map((plus): Rule => ({ plus })) },
  { weight: 2, arbitrary: bytes.map((minus): Rule => ({ minus })) },
  { weight: 2, arbitrary: fc.constantFrom<Rule>({ class: 'first' }, { class: 'last' }) },
);
const points = fc.oneof(fc.nat(10), fc.nat(2 ** 30), fc.integer({ min: 2 ** 40, max: Number.MAX_SAFE_INTEGER }));
const cases = fc
  .array(fc.tuple(effect, fc.constantFrom(true, false, undefined)), { minLength: 1, maxLength: 6 })
  .map((rows) => ({ rules: rows.map(([rule]) => rule), answers: rows.map(([, answer]) => answer) }));

/** What the verdict makes of points, with a byte a point. */
function after(rules: readonly Rule[], answers: Answers, sparing: boolean, from: number): number {
  const { never, times, offset, order } = verdictOf(compiled(rules), answers, sparing);
  if (never) return Number.NaN;
  return orderedPoints(shiftedPoints(scaledPoints(from, ratioBy(times)), bytesBy(offset)), orderBy(order));
}

/** Every way in which what is not known can turn out. */
function completions(answers: Answers): boolean[][] {
  const unknown = answers.flatMap((answer, index) => (answer === undefined ? [index] : []));
  return Array.from({ length: 2 ** unknown.length }, (_, bits) =>
    answers.map((answer, index) => answer ?? ((bits >> unknown.indexOf(index)) & 1) === 1),
  );
}

test('rule: of each kind the first that matches counts, rounded down exactly, up to the largest points', () => {
  fc.assert(
    fc.property(cases, points, ({ rules, answers }, from) => {
      for (const matched of completions(answers)) {
        assert.equal(after(rules, matched, false, from), plainly(rules, matched, from));
        assert.equal(verdictOf(compiled(rules), matched, false).isOpen, false);
      }
    }),
    { seed: SEED, numRuns: RUNS * 5 },
  );
});

test('rule: as long as something is not known the two verdicts are above and below all that can come out', () => {
  /** For comparing: who may not be chosen has less than anybody. */
  const worth = (value: number) => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value);
  fc.assert(
    fc.property(cases, points, ({ rules, answers }, from) => {
      const most = worth(after(rules, answers, false, from));
      const least = worth(after(rules, answers, true, from));
      const all = completions(answers).map((matched) => worth(plainly(rules, matched, from)));
      assert.ok(most >= Math.max(...all) && least <= Math.min(...all), `${most} ${all} ${least}`);
      const { isOpen } = verdictOf(compiled(rules), answers, false);
      const isNever = rules.some((rule, index) => rule.never && answers[index]);
      assert.ok(!(isOpen && isNever), 'never is never, whatever the others turn out to be');
      if (!isOpen) assert.deepEqual([most, least], [all[0], all[0]], 'nothing hangs on it');
    }),
    { seed: SEED, numRuns: RUNS * 5 },
  );
});

test('rule: whoever is first is before everybody, whoever is last after everybody, in the same order and with the same ties', () => {
  const values = [1, 2, 2, 4095, 2 ** 53, 2 ** 54];
  const first = values.map((value) => orderedPoints(value, 1));
  const last = values.map((value) => orderedPoints(value, -1));
  assert.ok(Math.min(...first) > 2 ** 54 && Math.max(...last) < 1 && Math.min(...last) > 0);
  for (const [index, value] of values.entries()) {
    assert.deepEqual(plainPoints(first[index]!), { points: value, class: 'first' });
    assert.deepEqual(plainPoints(last[index]!), { points: value, class: 'last' });
    assert.deepEqual(plainPoints(value), { points: value, class: null });
  }
});
