/** Which readings of memory are told to a fleet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PressureNews } from '../../../src/fleet/pressure-news.js';
import type { MemoryNews } from '../../../src/guard/index.js';

const reading = (availableKib: number, level: MemoryNews['level'] = 'none'): MemoryNews => ({
  ...{ totalKib: 10_000, availableKib, basisKib: 10_000, swapTotalKib: 0, swapFreeKib: 0, level, atMs: 0 },
});

test('fleet pressure: the same is told once a minute, another level or a hundredth of memory at once', () => {
  const news = new PressureNews();
  assert.equal(news.isNews(reading(5000), 0), true);
  assert.equal(news.isNews(reading(5050), 10_000), false);
  assert.equal(news.isNews(reading(5050), 60_000), true);
  assert.equal(news.isNews(reading(4949), 61_000), true);
  assert.equal(news.isNews(reading(4949, 'warn'), 62_000), true);
});

test('fleet pressure: not more than once a second, whatever happens, and slow changes add up', () => {
  const news = new PressureNews();
  news.isNews(reading(5000), 0);
  assert.equal(news.isNews(reading(100, 'kill'), 999), false);
  assert.equal(news.isNews(reading(100, 'kill'), 1000), true);
  const told = [150, 190, 201].map((availableKib, n) => news.isNews(reading(availableKib, 'kill'), 2000 + n * 1000));
  assert.deepEqual(told, [false, false, true]);
});
