/** Stage: report. `badness top` while it runs: looks, draws, and waits for the next thing that happens, one after the other. */

import type { Palette } from './colour.js';
import { type Choices, pressed, selectedIndex } from './top-choices.js';
import type { Frame, FrameReader } from './top-frame.js';
import type { GuardWatch } from './top-guard.js';
import type { Key } from './top-keys.js';
import { Screen } from './top-screen.js';
import { type EndSignal, Terminal, type TerminalEvent } from './top-terminal.js';
import { type TopView, topLines } from './top-view.js';
import { userNames } from './users.js';

export interface TopParts {
  readonly frames: FrameReader;
  readonly guard: GuardWatch;
  readonly palette: Palette;
  /** From one look to the next, ms. */
  readonly everyMs: number;
  /** Whether the users are this machine's. */
  readonly live: boolean;
}

/** `tick`: time for the next look. `told`: the guard has answered. */
type TopEvent = TerminalEvent | { readonly kind: 'tick' } | { readonly kind: 'told'; readonly message?: string };

/** Looking takes a tenth of the time at most. */
const PAUSES_A_LOOK = 9;
/** Rows read beyond those that the screen can have: as far as one key moves the cursor. */
const ROWS_AHEAD = 10;

export class TopLoop {
  readonly #parts: TopParts;
  readonly #terminal = new Terminal(process.stdin, process.stdout, (event) => this.#happened(event));
  readonly #screen: Screen;
  readonly #userName: (uid: number) => string;
  readonly #events: TopEvent[] = [];
  #wake: () => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #choices: Choices;
  #frame: Frame;
  #at = 0;
  #message: string | null = null;

  /** Looks for the first time. Throws what reading /proc throws; the terminal has not been touched then. */
  constructor(parts: TopParts, choices: Choices) {
    this.#parts = parts;
    this.#choices = choices;
    this.#screen = new Screen(parts.palette);
    this.#userName = userNames(parts.live);
    this.#frame = this.#look();
  }

  /** Until somebody ends it. The signal that did, or null. Whatever it rejects with, the terminal is as it was. */
  async run(): Promise<EndSignal | null> {
    try {
      this.#terminal.open();
      this.#arm(this.#parts.everyMs);
      for (;;) {
        this.#draw();
        const event = await this.#next();
        if (event.kind === 'end') return event.signal;
        if (event.kind === 'closed') return null;
        if (this.#handle(event)) return null;
      }
    } finally {
      clearTimeout(this.#timer);
      this.#terminal.close();
      this.#parts.frames.close();
    }
  }

  /** Whether that was the end. */
  #handle(event: Exclude<TopEvent, { kind: 'end' | 'closed' }>): boolean {
    switch (event.kind) {
      case 'redraw':
        this.#screen.forget();
        return false;
      case 'told':
        this.#message = event.message ?? this.#message;
        return false;
      case 'tick':
        if (!this.#choices.paused) this.#lookAgain();
        return false;
      case 'key':
        return this.#press(event.key);
    }
  }

  #press(key: Key): boolean {
    const pids = this.#frame.rows.map(({ tgid }) => tgid);
    const { choices, effect } = pressed(this.#choices, key, pids, this.#at);
    this.#choices = choices;
    this.#message = null;
    this.#at = selectedIndex(pids, choices.selected, this.#at);
    const task = this.#frame.rows[this.#at];
    if (effect === 'read') this.#lookAgain();
    if (effect === 'redraw') this.#screen.forget();
    if (effect === 'suspend') this.#terminal.suspend(true);
    if (effect === 'protect' && task) this.#answer(this.#parts.guard.toggle(task.tgid, task.comm));
    if (effect === 'ask') this.#answer(this.#parts.guard.chooses());
    return effect === 'quit';
  }

  /** Says what the guard answers, and looks again: it may be another machine by then. */
  #answer(words: Promise<string>): void {
    this.#message = 'asking the guard …';
    void words.then((message) => {
      this.#happened({ kind: 'told', message });
      this.#happened({ kind: 'tick' });
    });
  }

  #look(): Frame {
    const { frames, guard } = this.#parts;
    const [, rows] = this.#terminal.size;
    const frame = frames.read(this.#choices, this.#at + rows + ROWS_AHEAD, guard.protected);
    const pids = frame.rows.map(({ tgid }) => tgid);
    this.#at = selectedIndex(pids, this.#choices.selected, this.#at);
    return frame;
  }

  #lookAgain(): void {
    const began = performance.now();
    this.#frame = this.#look();
    void this.#parts.guard.poll().then(() => this.#happened({ kind: 'told' }));
    this.#arm(Math.max(this.#parts.everyMs, PAUSES_A_LOOK * (performance.now() - began)));
  }

  #draw(): void {
    const [columns, rows] = this.#terminal.size;
    this.#terminal.write(this.#screen.draw(topLines(this.#view(), columns, rows), columns));
  }

  #view(): TopView {
    const task = this.#frame.rows[this.#at];
    const explains = this.#choices.panel === 'explain' && task !== undefined;
    return {
      ...this.#frame,
      ...{ choices: this.#choices, at: this.#at, message: this.#message, userName: this.#userName },
      clock: new Date().toTimeString().slice(0, 8),
      guard: this.#parts.guard.view,
      explanation: explains ? this.#parts.frames.explain(task, this.#frame.machine, this.#userName) : [],
    };
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#happened({ kind: 'tick' }), ms);
  }

  #happened(event: TopEvent): void {
    this.#events.push(event);
    this.#wake();
  }

  async #next(): Promise<TopEvent> {
    while (this.#events.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#events.shift()!;
  }
}
