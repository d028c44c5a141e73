/** Stage: report. The columns that `badness rank` can show, by name. */
import { type Machine, nearestWord, type RankedTask, RECORD_KEYS, rankedToRecord } from '../index.js';
import { usage } from './arguments.js';
import { printable } from './names.js';
import { cpuTime, memory, shortDuration } from './quantities.js';
import type { Column } from './table.js';
import { ageOf } from './words.js';

export interface Shown {
  machine: Machine;
  userName(uid: number): string;
}

export interface TaskColumn extends Column {
  cell(task: RankedTask, shown: Shown): string;
}

const NAME_LEAST = 8;

function pagesColumn(title: string, pages: (task: RankedTask) => number): TaskColumn {
  return { title, right: true, cell: (task, { machine }) => memory(pages(task) * machine.pageSize) };
}

const NAMED: Record<string, TaskColumn> = {
  rank: { title: '#', right: true, dispensable: 5, cell: ({ rank }) => (rank === null ? '-' : String(rank)) },
  pid: { title: 'PID', right: true, cell: ({ tgid }) => String(tgid) },
  points: { title: 'POINTS', right: true, cell: ({ points }) => (points === null ? '-' : String(points)) },
  memory: { ...pagesColumn('MEMORY', ({ chargePages }) => chargePages), dispensable: 0 },
  age: {
    title: 'AGE',
    right: true,
    dispensable: 3,
    cell: (task, { machine }) => shortDuration(ageOf(task, machine)),
  },
  cpu: {
    title: 'CPU',
    right: true,
    dispensable: 2,
    cell: ({ utimeJiffies, stimeJiffies }, { machine }) => cpuTime((utimeJiffies + stimeJiffies) / machine.hz),
  },
  adj: { title: 'ADJ', right: true, dispensable: 4, cell: ({ oomScoreAdj }) => String(oomScoreAdj) },
  user: { title: 'USER', dispensable: 1, least: NAME_LEAST, cell: ({ uid }, { userName }) => userName(uid) },
  reason: { title: 'WHY NOT', cell: ({ reason }) => reason ?? '' },
  name: { title: 'NAME', least: NAME_LEAST, cell: ({ comm }) => printable(comm) },
  vm: pagesColumn('VM', ({ totalVmPages }) => totalVmPages),
  rss: pagesColumn('RSS', ({ rssPages }) => rssPages),
  swap: pagesColumn('SWAP', ({ swapPages }) => swapPages),
};

const USUAL = ['rank', 'pid', 'points', 'memory', 'age', 'cpu', 'adj', 'user', 'name'];

/** Every column name: those with a form for people, then the keys of a task record, shown as they are. */
export const COLUMN_NAMES: readonly string[] = [
  ...Object.keys(NAMED),
  ...RECORD_KEYS.filter((key) => !(key in NAMED) && key !== 'cgroup'),
];

function recordColumn(name: string): TaskColumn {
  const cell = (task: RankedTask) => printable(String(rankedToRecord(task)[name] ?? '-'));
  return { title: name.toUpperCase(), right: !['comm', 'state', 'kind'].includes(name), cell };
}

/** The columns of a list of names. Throws a usage error with the nearest name. */
export function columnsNamed(list: string): TaskColumn[] {
  return list.split(',').map((part) => {
    const name = part.trim();
    if (!COLUMN_NAMES.includes(name)) {
      const nearest = nearestWord(name, COLUMN_NAMES);
      throw usage(
        `--columns: unknown column ${JSON.stringify(name)}, the nearest is ${nearest}; there are ${COLUMN_NAMES.join(', ')}`,
      );
    }
    return NAMED[name] ?? recordColumn(name);
  });
}

/** The columns shown unless others are asked for; with the reason where some tasks are not eligible. */
export function usualColumns(withReason: boolean): TaskColumn[] {
  const names = withReason ? [...USUAL.slice(0, -1), 'reason', 'name'] : USUAL;
  return names.map((name) => NAMED[name]!);
}
