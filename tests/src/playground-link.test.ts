/** Links into the playground from programs of others: what goes in is what the page reads out of them. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { playgroundLink } from '../../src/playground/index.js';
import { decodeLink } from '../../src/playground/link.js';

const PAGE = 'https://example.org/oom/index.html';
const read = async (link: string) => (await decodeLink(new URL(link).hash))!;

test('playground link: a text, its name, the policy and the moment come out of it', async () => {
  const text = readFileSync('tests/fixtures/limited-group.proc', 'utf8');
  const link = await playgroundLink(PAGE, { text, name: 'evening.proc', policy: 'version = 1\n', moment: 3 });
  assert.ok(link.startsWith(`${PAGE}#v=1`));
  const { source, policy, moment, scoring } = await read(link);
  assert.deepEqual([policy, moment, scoring], ['version = 1\n', 3, null]);
  assert.equal(source?.kind === 'bytes' && new TextDecoder().decode(source.bytes), text);
  assert.equal(source?.name, 'evening.proc');
});

test('playground link: a scenario by name, and nothing at all', async () => {
  const { source } = await read(await playgroundLink(new URL(PAGE), { scenario: 'fork-bomb' }));
  assert.deepEqual(source, { kind: 'scenario', name: 'fork-bomb' });
  assert.equal((await read(await playgroundLink(PAGE))).source, null);
});

test('playground link: what cannot be said in a link is refused', async () => {
  const long = randomBytes(40_000).toString('base64');
  const expected = { name: 'RangeError', message: /^long\.txt must be at most 32768 characters when compressed/ };
  await assert.rejects(playgroundLink(PAGE, { text: long, name: 'long.txt' }), expected);
  await assert.rejects(playgroundLink(PAGE, { text: 'a', scenario: 'b' }), TypeError);
  await assert.rejects(playgroundLink(PAGE, { text: 'a', name: '' }), RangeError);
  await assert.rejects(playgroundLink(PAGE, { moment: -1 }), RangeError);
  await assert.rejects(playgroundLink('nowhere'), TypeError);
});
