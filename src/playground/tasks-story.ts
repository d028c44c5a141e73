/** Stage: bytes → table, for a page. Task records, as `badness rank --json` prints them: one moment. */
import { parseTaskLines } from '../index.js';
import type { Story } from './story.js';

/** Throws BadnessError `ETASKLINE` or `ESCHEMA` for lines that are no records, Error when there are none. */
export function tasksStory(name: string, text: string): Story {
  const { machine, options, tasks } = parseTaskLines(text);
  if (tasks.length === 0) throw new Error(`${name} has no task record in it`);
  const head = {
    ...({ kind: 'tasks', moments: ['the moment of the records'], momentsS: [0] } as const),
    ...{ first: 0, track: null, kills: [], notes: [], policy: null },
  };
  return {
    head,
    surroundings: null,
    moment: () => ({ tasks, machine, options, facts: [], kernelChose: null, kernelKilledChild: null }),
  };
}
