/** Stage: report. `badness report --to-proc`: the tables of a kernel log as a recording, a snapshot each. */
import type { Engine } from '../index.js';
import { ReportRecorder } from '../recording/index.js';
import { eventToJson, type OomEvent, type Reranking } from '../report/index.js';
import { CommandError, EXIT } from './exit.js';
import { madeBy } from './help.js';
import { linesOf, say } from './output.js';
import { counted } from './quantities.js';

export interface ProcForm {
  /** Lines for an event that was just reranked in the engine. */
  event(engine: Engine, event: OomEvent, reranking: Reranking): string[];
  /** What comes last. Throws where nothing can be replayed. */
  foot(): string[];
}

export function procForm(): ProcForm {
  const recorder = new ReportRecorder(madeBy());
  let [tables, without] = [0, 0];
  return {
    event(engine, event, reranking) {
      const text = recorder.event(engine, event, reranking, JSON.stringify(eventToJson(event, reranking)));
      if (text === null) {
        without += 1;
        return [];
      }
      tables += 1;
      return linesOf(text);
    },
    foot() {
      if (without > 0) say(`${counted(without, 'event')} without a table left out`);
      if (tables === 0)
        throw new CommandError(EXIT.unreadable, 'expected an OOM event with a table of tasks, found none');
      return linesOf(recorder.tail());
    },
  };
}
