// Questions to a fleet: what counts as an answer, who was silent, and a machine that is asked too much.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Answering,
  byPressure,
  gather,
  type PreviewAnswer,
  type PreviewAsk,
  type PreviewFound,
  parseAnswer,
  parseAsk,
} from '../../../src/fleet/questions.js';

const memory = (percent: number) => ({
  ...{ total_kib: 1000, available_kib: percent * 10, available_percent: percent, swap_total_kib: 0, swap_free_kib: 0 },
});
const found = (percent: number, level = 'none'): PreviewFound => ({
  ...{ domain: 'system', scheme: 'badness', now: memory(percent), level, start: memory(0), start_level: 'kill' },
  ...{ kills: [{ pid: 7, comm: 'hog', points: 3, signal: 'SIGKILL', back_kib: 5 }], end: 'enough' },
});
const answer = (host: string, what: PreviewFound | null): PreviewAnswer => ({
  ...{ schema: 1, kind: 'preview', host, found: what, error: what ? null : { code: 'EDOMAIN', message: 'none' } },
});
const ASK: PreviewAsk = { schema: 1, kind: 'preview', available: '5%', swap_free: null, most: 3 };
const text = (value: unknown) => JSON.stringify(value);

test('questions: answers are in the order of names, and whoever said nothing that counts is named', () => {
  const { answers, silent } = gather([
    { host: 'c', text: text(answer('c', found(5))) },
    { host: 'b', text: null },
    { host: 'a', text: text(answer('a', null)) },
    { host: 'd', text: text(answer('c', found(5))) },
    { host: 'e', text: '{' },
    { host: 'f', text: text({ ...answer('f', found(5)), schema: 2 }) },
  ]);
  assert.deepEqual(
    answers.map(({ host }) => host),
    ['a', 'c'],
  );
  assert.deepEqual(silent, ['b', 'd', 'e', 'f']);
});

test('questions: an answer whose parts are not what they should be is none', () => {
  const good = found(5);
  for (const bad of [
    { ...good, kills: 'none' },
    { ...good, kills: [null] },
    { ...good, kills: [{ ...good.kills[0], comm: 7 }] },
    { ...good, now: null },
    { ...good, level: 4 },
    { ...good, end: undefined },
    { ...good, kills: [{ ...good.kills[0], points: '3' }] },
    ...[undefined, null, 0, '', 'all', true, []],
  ]) {
    assert.equal(parseAnswer(text({ ...answer('a', good), found: bad }), 'a'), null, text(bad));
  }
  for (const error of [undefined, null, 'no', { code: 'EIO' }, { code: 5, message: '' }]) {
    assert.equal(parseAnswer(text({ ...answer('a', null), error }), 'a'), null, text(error));
  }
  assert.deepEqual(parseAnswer(text(answer('a', good)), 'a'), answer('a', good));
});

test('questions: what is no question is not answered', () => {
  for (const bad of [{ available: 5 }, { available: undefined }, { most: '3' }, { most: null }, { swap_free: 0 }]) {
    assert.equal(parseAsk(text({ ...ASK, ...bad })), null, text(bad));
  }
  assert.deepEqual(parseAsk(text({ ...ASK, swap_free: '1%' })), { ...ASK, swap_free: '1%' });
});

test('questions: machines are ordered by level, then by what is available; those that could not say are last', () => {
  const machines = [
    answer('calm', found(50)),
    answer('broken', null),
    answer('short', found(30, 'term')),
    answer('calmer', found(60)),
    answer('shorter', found(20, 'term')),
    answer('worst', found(40, 'kill')),
  ];
  assert.deepEqual(
    byPressure(machines).map(({ host }) => host),
    ['worst', 'shorter', 'short', 'calm', 'calmer', 'broken'],
  );
});

test('questions: a machine answers one after the other, and refuses by name when more wait than it takes', async () => {
  let running = 0;
  let most = 0;
  const release: (() => void)[] = [];
  const answering = new Answering('a', async ({ available }) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => release.push(resolve));
    running -= 1;
    if (available === '7%') throw new RangeError('seven');
    return found(5);
  });
  const asked = [ASK, { ...ASK, available: '7%' }, ASK, ASK].map((ask) => answering.answer(text(ask)));
  const refused = JSON.parse((await answering.answer(text(ASK)))!) as PreviewAnswer;
  assert.equal(refused.error?.code, 'EBUSY');
  for (let done = 0; done < asked.length; ++done) {
    while (release.length <= done) await Promise.resolve();
    release[done]!();
  }
  const answers = (await Promise.all(asked)).map((one) => JSON.parse(one!) as PreviewAnswer);
  assert.deepEqual(
    answers.map(({ error }) => error?.message ?? null),
    [null, 'seven', null, null],
  );
  assert.equal(most, 1);
  assert.equal(await answering.answer('{}'), null);
});
