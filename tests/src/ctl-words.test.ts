// Words of ctl: whatever a guard says, nothing in it reaches the terminal as more than text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventWords } from '../../src/cli/ctl-words.js';

test('ctl events: an event that has no words of its own is shown whole, and escaped', () => {
  const event = { time: '2026-11-20T18:41:07.113Z', kind: 'failed', error: 'C1 \u009b2J, turned \u202e' };
  assert.match(eventWords(event), /^2026-11-20T18:41:07\.113Z failed \{.*"C1 \\u\{9b\}2J, turned \\u\{202e\}"\}$/);
});
