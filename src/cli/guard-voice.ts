/** Stage: report. Everything that `badness guard` says, in words or as JSON, one line each. */
import { type GuardEvent, guardEventToJson } from '../guard/index.js';
import { readMachine } from '../linux/index.js';
import type { Policy } from '../policy/index.js';
import { type LineWriter, openLineWriter } from './guard-output.js';
import { eventLines, type Line } from './guard-words.js';
import { harmless, harmlessJson } from './names.js';

/** systemd reads `<4>` before a line that a service writes to the journal (sd-daemon(3)). */
function shown({ priority, text }: Line): string {
  const words = harmless(text);
  return process.env.JOURNAL_STREAM ? `<${priority}>${words}` : words;
}

/** Memory may hover about a threshold: the same level is told in words once a minute. */
class LevelLines {
  readonly #toldMs = new Map<string, number>();

  isNews(level: string, nowMs: number): boolean {
    if (nowMs - (this.#toldMs.get(level) ?? Number.NEGATIVE_INFINITY) < 60_000) return false;
    this.#toldMs.set(level, nowMs);
    return true;
  }
}

export class GuardVoice {
  readonly #json: boolean;
  readonly #out: LineWriter;
  readonly #machine = readMachine();
  readonly #levels = new LevelLines();

  constructor(json: boolean) {
    this.#json = json;
    this.#out = openLineWriter((lines) =>
      json
        ? JSON.stringify({ kind: 'dropped', lines })
        : shown({ priority: 4, text: `${lines} lines could not be written` }),
    );
  }

  /** One or the other: words for people, or a record. */
  say(lines: () => readonly Line[], record: () => object | null): void {
    const object = this.#json ? record() : null;
    if (object !== null) this.#out.write(harmlessJson(JSON.stringify(object)));
    if (!this.#json) for (const line of lines()) this.#out.write(shown(line));
  }

  /** What is not as it should be. */
  note(text: string): void {
    this.say(
      () => [{ priority: 5, text: `note: ${text}` }],
      () => ({ kind: 'note', text }),
    );
  }

  /** `policy`: the one in force. */
  tell(event: GuardEvent, policy: Policy): void {
    this.say(
      () => this.#linesOf(event, policy),
      () => guardEventToJson(event),
    );
  }

  close(): void {
    this.#out.close();
  }

  #linesOf(event: GuardEvent, policy: Policy): readonly Line[] {
    if (event.kind === 'level' && !this.#levels.isNews(event.level, event.atMs)) return [];
    return eventLines(event, policy, { ...this.#machine, uptimeS: readMachine().uptimeS });
  }
}
