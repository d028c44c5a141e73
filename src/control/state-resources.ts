/** Stage: report. What an operator asks of a running guard: its state, its ranking, its decisions, and a round by hand. */
import { SCHEMA_VERSION } from '../../assembly/layout.js';
import { roundReportToJson } from '../guard/round-report.js';
import { type Plain, snakeKeys } from '../json-keys.js';
import { monotonicMs } from '../linux/linux-world.js';
import type { ExplainedNow, RankedNow } from '../linux/rankings.js';
import { rankingRecord } from '../policy/ranking-record.js';
import { SCHEMES } from '../schemes.js';
import { rankedToRecord } from '../task-json.js';
import { type Answer, jsonAnswer, NDJSON, textAnswer } from './answer.js';
import type { ControlledGuard } from './controlled.js';
import type { Decisions } from './decisions.js';
import { queryInteger, queryWord, type Resource } from './resources.js';

/** Of the server itself. */
export interface ControlState {
  readonly version: string | null;
  readonly connections: number;
  readonly readers: number;
  readonly requests: number;
  readonly dropped: number;
}

const ROWS_MOST = 1000;
/** Those who ask for different numbers of rows of one ranking share its text. */
const texts = new WeakMap<RankedNow, { bytes: Buffer; ends: number[] }>();

export function stateResources(guard: ControlledGuard, decisions: Decisions, state: () => ControlState): Resource[] {
  return [
    { name: '/state', path: /^\/state$/, methods: { GET: () => jsonAnswer(stateRecord(guard, state())) } },
    {
      name: '/rank',
      path: /^\/rank$/,
      methods: {
        GET: async ({ query }) => rankAnswer(await guard.rank(), queryInteger(query, 'limit', 0, ROWS_MOST, ROWS_MOST)),
      },
    },
    {
      name: '/explain/PID',
      path: /^\/explain\/([1-9]\d{0,9})$/,
      methods: {
        GET: async ({ parameters: [pid], query }) => {
          const asked = query.has('scheme') ? queryWord(query, 'scheme', SCHEMES, SCHEMES[0]!) : undefined;
          return explainAnswer(await guard.explain(Number(pid), asked));
        },
      },
    },
    {
      name: '/decisions',
      path: /^\/decisions$/,
      methods: {
        GET: ({ query }) => ({ type: NDJSON, body: decisions.text(queryInteger(query, 'last', 1, decisions.most, 0)) }),
      },
    },
    {
      name: '/decisions/ID/recording',
      path: /^\/decisions\/(0|[1-9]\d{0,9})\/recording$/,
      methods: { GET: async ({ parameters: [id] }) => textAnswer(await guard.decisionRecording(Number(id))) },
    },
    {
      name: '/round',
      path: /^\/round$/,
      methods: { POST: async () => jsonAnswer(roundReportToJson(await guard.round())) },
    },
  ];
}

/** The keys are those of the JSON output. */
export function stateRecord(guard: ControlledGuard, server: ControlState): Record<string, Plain> {
  const { facts, gate, level, counters, reloads, plugin, token, queue, memory, protectedCount } = guard;
  const { version, ...control } = server;
  const plain = {
    ...{ pid: process.pid, domain: facts.domain, level, words: guard.describe(), memory },
    ...{ counters, reloads, plugin, gate, token: token ? { ...token, victim: token.victim ?? null } : null },
    ...{ queued: queue.count, queueStale: queue.count > 0 && monotonicMs() > queue.untilMs },
    ...{ protected: protectedCount, control, facts },
  };
  return { schema: SCHEMA_VERSION, version, ...(snakeKeys(plain as unknown as Plain) as Record<string, Plain>) };
}

/** The first line of `badness rank --json`. */
function summaryLine({ options, reading, ranking, plugin }: RankedNow): string {
  const { machine } = reading;
  const { totalPages = machine.totalPages, ...scoring } = options;
  return JSON.stringify(rankingRecord({ ...reading, machine: { ...machine, totalPages } }, scoring, ranking, plugin));
}

/** The lines of `badness rank --json -n LIMIT`. */
function rankAnswer(ranked: RankedNow, limit: number): Answer {
  let text = texts.get(ranked);
  if (text === undefined) {
    const lines = [summaryLine(ranked), ...ranked.ranking.ranked.map((task) => JSON.stringify(rankedToRecord(task)))];
    const chunks = lines.map((line) => Buffer.from(`${line}\n`));
    let end = 0;
    text = { bytes: Buffer.concat(chunks), ends: chunks.map(({ length }) => (end += length)) };
    texts.set(ranked, text);
  }
  const { bytes, ends } = text;
  return { type: NDJSON, body: bytes.subarray(0, ends[Math.min(limit, ends.length - 1)]) };
}

/** The lines of `badness explain PID --scheme NAME --json`. */
function explainAnswer({ task, terms, ...ranked }: ExplainedNow): Answer {
  const record = snakeKeys({ ...terms } as unknown as Plain);
  const lines = [summaryLine(ranked), JSON.stringify(rankedToRecord(task)), JSON.stringify(record)];
  return { type: NDJSON, body: `${lines.join('\n')}\n` };
}
