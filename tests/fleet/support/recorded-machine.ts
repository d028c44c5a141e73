/** A recording as a machine of a fleet: what a guard decided in it, and who would die in it. One for all simulated hosts of a process. */
import { openEngine } from '../../../src/engine.js';
import type { DecisionNews } from '../../../src/fleet/index.js';
import { type PreviewAsk, type PreviewFound, previewFound } from '../../../src/fleet/questions.js';
import { guardEventToJson } from '../../../src/guard/guard-events.js';
import { definePolicy, preview, threshold } from '../../../src/policy/index.js';
import {
  openRecordedChooser,
  parseRecording,
  RecordedFiles,
  replayGuard,
  tasksMost,
} from '../../../src/recording/index.js';
import { SimulatedGuard } from './simulated.js';

export class RecordedMachine {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Rounds of a guard that watches it. */
  async rounds(): Promise<Omit<DecisionNews, 'wallMs'>[]> {
    const { events } = await replayGuard(parseRecording(this.#text));
    return events.flatMap(({ event, decision }) =>
      event.kind === 'round' ? [{ event: guardEventToJson(event), record: decision?.bytes ?? null }] : [],
    );
  }

  async preview(ask: PreviewAsk): Promise<PreviewFound> {
    const recording = parseRecording(this.#text);
    const policy = definePolicy();
    const engine = await openEngine({ maxTasks: tasksMost(recording) });
    const chooser = await openRecordedChooser(engine, new RecordedFiles(recording), policy);
    const { rules = null } = chooser.choose();
    const memory = chooser.memory.read();
    const available = threshold(ask.available, 'available');
    return previewFound(
      'recorded',
      policy,
      memory,
      preview(engine, { policy, memory, available, rules, most: ask.most }),
    );
  }

  guard(): SimulatedGuard & { preview(ask: PreviewAsk): Promise<PreviewFound> } {
    return Object.assign(new SimulatedGuard(), { preview: (ask: PreviewAsk) => this.preview(ask) });
  }
}
