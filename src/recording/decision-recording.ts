/**
 * Stage: selection → report. One decision of a guard as a recording that replays to it: the same choice, points and terms. What the guard
 * read short, as a size alone, stands as such: those rows were bounds, and whoever has so little could not win.
 */
import * as L from '../../assembly/layout.js';
import { openEngine } from '../engine.js';
import type { KeptDecision } from '../guard/decision-ring.js';
import { control } from '../policy/control.js';
import type { Policy } from '../policy/policy.js';
import { policyToToml } from '../policy/policy-toml.js';
import { restoreSnapshot, rowsOf } from '../snapshot-copy.js';
import { type Entry, SNAPSHOT_FACTS_DEFAULT } from './recording.js';
import { byteString } from './spelling.js';
import { recordsText, rowsIn, type TableRows } from './table-rows.js';
import { RecordingWriter } from './writer.js';

/** What is known of a guard beside its decisions. */
export interface DecidedBy {
  readonly policy: Policy;
  /** Numbers of the users that its rules name. */
  readonly users: ReadonlyMap<string, number>;
  /** As printed at start. */
  readonly domain: string;
  readonly madeBy: string | null;
  readonly kernel: string | null;
}

/** Notifiers may have secrets in their commands and addresses, and change no choice. */
function policyText(policy: Policy): string {
  const plain = { ...policy, notify: [] };
  const file = {
    policies: [plain],
    control: control({}, 'control'),
    given: { policies: [plain], control: {} },
  };
  return policyToToml(file).replace(/\n{2,}/g, '\n');
}

/** Comments say what was not read; they are for people. */
function commentsOf(rows: TableRows, { domain }: DecidedBy): string[] {
  const partial = rows.marks.get('partial')?.length ?? 0;
  const words = [
    'One decision of a guard, exported from its memory: task records, not files.',
    `Its domain: ${domain}`,
  ];
  if (partial > 0)
    words.push(`Of ${partial} tasks only the size was read: they could not be the victim (mark partial).`);
  return words;
}

/** The text of the recording. `report`: the JSON of what came of it, null when that is not known. */
export async function decisionRecording(kept: KeptDecision, report: string | null, by: DecidedBy): Promise<string> {
  const engine = await openEngine({ maxTasks: Math.max(rowsOf(kept.copy), 1) });
  restoreSnapshot(engine, kept.copy);
  const { view, snapshot } = engine;
  const uptimeTicks = view.getFloat64(snapshot + L.S_UPTIME_TICKS, true);
  const pageSize = view.getUint32(snapshot + L.S_PAGE_SIZE, true);
  const { options, memory } = kept;
  const machine = {
    hz: view.getUint32(snapshot + L.S_HZ, true),
    pageSize,
    uptimeS: uptimeTicks / L.USER_HZ,
    totalPages: options.totalPages ?? 0,
  };
  const rows = rowsIn(engine);
  const entries = Array.from(kept.looked, ([path, { kind, text }]): [string, Entry] => {
    const bytes = byteString(text);
    return [path, kind === 'file' ? { kind, bytes } : { kind, target: bytes }];
  });
  const writer = new RecordingWriter();
  const { madeBy, kernel, users } = by;
  const { rootTgid = 0 } = options;
  const facts = {
    ...{ madeBy, kernel, pageSize, users, policy: policyText(by.policy) },
    domain: { kind: 'measured', name: by.domain, rootTgid } as const,
  };
  const state = {
    ...{ monotonicMs: Math.floor(kept.monotonicMs), bootMs: Math.round(uptimeTicks * 10), wallMs: kept.wallMs },
    ...{ entries: new Map(entries), owners: new Map<string, number>() },
    facts: {
      ...SNAPSHOT_FACTS_DEFAULT,
      ...{ marks: rows.marks, memory, tasks: recordsText(machine, options, rows) },
      decision: report && `${report}\n`,
    },
  };
  return writer.head(facts, commentsOf(rows, by)) + writer.snapshot(state) + writer.tail();
}
