/** What machines report: whoever reads it relies on its parts, and a machine may say anything. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FleetReport, parseReport, type StateReport } from '../../../src/fleet/report.js';

const head = { schema: 1, host: 'web-1', wall_ms: 5 };
const origin = { key: 'default', revision: 3, sequence: 4, step: 'policy' };
const spool = { waiting: 0, dropped: 0, damaged: 0 };
const REPORTS: readonly FleetReport[] = [
  { ...head, kind: 'decision', id: 'r.1', policy: origin, event: { kind: 'round' }, record: null, shadow: null },
  {
    ...{ ...head, kind: 'pressure', level: 'none' },
    memory: { total_kib: 4, available_kib: 3, swap_total_kib: 2, swap_free_kib: 1 },
  },
  {
    ...{ ...head, kind: 'state', labels: ['ci'], version: '1', run: 'r', running: true, policy: null, enforce: true },
    ...{ notes: ['n'], refused: [{ key: 'default', revision: 1, code: 'E', message: 'm' }], shadow: null, spool },
  } satisfies StateReport,
  { ...head, kind: 'dropped', id: 'r.dropped.1', count: 7 },
];

test('fleet report: one of each kind is read as it was written', () => {
  for (const report of REPORTS) assert.deepEqual(parseReport(JSON.stringify(report)), report);
});

/** What a report is without, or has instead. */
const SPARE: readonly string[] = ['record', 'shadow', 'version', 'run', 'running', 'enforce'];

test('fleet report: one without a part that is shown, or with another kind of it, is none', () => {
  for (const report of REPORTS) {
    for (const key of Object.keys(report).filter((name) => !SPARE.includes(name))) {
      for (const bad of [undefined, true, '\x1b[2J', [null], { key: 7 }]) {
        const isFine = ['host', 'id', 'level'].includes(key) && typeof bad === 'string';
        const text = JSON.stringify({ ...report, [key]: bad });
        if (!isFine && !(key === 'event' && bad instanceof Object)) assert.equal(parseReport(text), null, text);
      }
    }
  }
  for (const text of ['', 'null', '7', '[]', '{"schema":1,"host":"a","wall_ms":1,"kind":"toString"}']) {
    assert.equal(parseReport(text), null, text);
  }
});
