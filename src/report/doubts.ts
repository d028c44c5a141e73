/**
 * Stage: report. Why the kernel's scheme does not name the kernel's victim when the table of a report is ranked again,
 * or why nobody can say. Each reason is there because something in this event speaks for it; none is a guess at the cause.
 */
import { choseNobody, type OomEvent, reportOf } from './event.js';
import type { Reranking } from './rerank.js';

/** The kinds of doubt. */
export type DoubtCode =
  | 'no-report'
  | 'no-table'
  | 'no-victim'
  | 'not-chosen'
  | 'not-in-table'
  | 'cut-table'
  | 'era'
  | 'missing'
  | 'capabilities'
  | 'total-pages'
  | 'killed-before'
  | 'close'
  | 'not-in-reports';

/** Why the answer of a report may be wrong, for programs and for people. */
export interface Doubt {
  code: DoubtCode;
  text: string;
}

type Found = Omit<Reranking, 'doubts'> & { settled: boolean };

/** A lead of the one over the other below which what went on while the table was printed may have turned them. */
const CLOSE_PART = 0.02;

function doubt(code: DoubtCode, text: string): Doubt[] {
  return [{ code, text }];
}

function withoutTable(event: OomEvent): Doubt[] {
  if (reportOf(event) !== 'none') {
    return doubt('no-table', 'the report has no task table: vm.oom_dump_tasks was 0, or the log lost it');
  }
  return doubt('no-report', 'the kernel printed no report of this kill (it limits their rate), or the log lost it');
}

function aboutChoice(event: OomEvent, { chosen, chosenSlot }: Found): Doubt[] {
  if (!chosen) return doubt('no-victim', 'the log does not say whom the kernel chose');
  if (choseNobody(event)) {
    return doubt('not-chosen', 'the kernel ranked nobody: it killed the task that asked for memory');
  }
  if (chosenSlot >= 0) return [];
  return doubt('not-in-table', `${chosen.pid} is not in the table: rows are missing, or it came later`);
}

function aboutTable(event: OomEvent): Doubt[] {
  const { rowsRefused, linesLost } = event;
  if (rowsRefused > 0) return doubt('cut-table', `${rowsRefused} rows of the table cannot be read`);
  if (linesLost > 0) return doubt('cut-table', `${linesLost} records of the log are missing in the report`);
  return [];
}

function aboutEra({ era }: Found): Doubt[] {
  if (era.sure === 'likely') return doubt('era', `which kernel it was is not sure: ${era.why}`);
  if (era.sure === 'vendor') return doubt('era', `the kernel is not one of those known: ${era.why}`);
  if (era.sure === 'unknown') return doubt('era', 'no line tells which kernel it was');
  return [];
}

function aboutTotal({ scheme, settled, totalPages }: Found): Doubt[] {
  if (settled) return [];
  return doubt('total-pages', `whom ${scheme} chooses depends on a total that is not known: ${totalPages.from}`);
}

function aboutInputs(event: OomEvent, { scheme, schemes }: Found): Doubt[] {
  const missing = schemes.find((choice) => choice.scheme === scheme)?.missing ?? [];
  const found: Doubt[] = [];
  const absent = missing.filter((what) => what !== 'capabilities');
  if (absent.length > 0) {
    found.push({
      code: 'missing',
      text: `${scheme} reckons with ${absent.join(', ')}, which the report does not have`,
    });
  }
  if (missing.includes('capabilities') && event.rows.some(({ uid }) => uid === 0)) {
    found.push({ code: 'capabilities', text: `what ${scheme} takes off for capabilities is guessed from uid 0` });
  }
  return found;
}

/** What the table shows of those who rank above the one that the kernel chose. */
function aboutRanking(event: OomEvent, { ranking, chosenSlot }: Found): Doubt[] {
  const victim = ranking?.victim;
  if (!victim || chosenSlot < 0) return [];
  const found: Doubt[] = [];
  if (event.rows[victim.slot]!.killedBefore) {
    const text = `${victim.tgid} was killed earlier in this log; a victim that the reaper was at is passed over`;
    found.push({ code: 'killed-before', text });
  }
  const points = ranking.ranked.find(({ slot }) => slot === chosenSlot)?.points ?? null;
  const lead = points === null || victim.points === null ? null : victim.points - points;
  if (lead !== null && lead > 0 && lead <= Math.abs(victim.points!) * CLOSE_PART) {
    const text = `the two are ${lead} points apart, and the table is printed after the choice`;
    found.push({ code: 'close', text });
  }
  return found;
}

/** Every reason in `event` why its victim cannot be told again, or only under a condition. */
export function doubtsOf(event: OomEvent, found: Found): Doubt[] {
  if (event.header === null || event.rows.length === 0) return withoutTable(event);
  if (found.same) return aboutTotal(found);
  const choice = aboutChoice(event, found);
  const doubts = [...choice, ...aboutTable(event)];
  if (choice.some(({ code }) => code !== 'not-in-table')) return doubts;
  doubts.push(...aboutEra(found), ...aboutInputs(event, found), ...aboutTotal(found), ...aboutRanking(event, found));
  if (doubts.length > 0) return doubts;
  const text =
    'no report tells who was in vfork, in swapoff, or already reaped; the kernel passes over or prefers those';
  return doubt('not-in-reports', text);
}
