/**
 * Stage: bytes → lines. Puts lines together again that are one: the kernel prints some in pieces, which other CPUs'
 * messages can come between, and a name can have a line end in it.
 */
import { continuesCgroupLine, continuesContext, isContext, parseContext } from './context.js';
import { type Finding, findingOf, MESSAGE_MAX } from './finding.js';
import { parseInvocation } from './invocation.js';
import { parseCutKillLine } from './kill-lines.js';
import type { LogLine } from './prefix.js';

/** Lines that may come between two pieces, and pieces that one line may have. */
const LINES_BETWEEN_MAX = 32;
const PIECES_MAX = 8;

export interface Joined {
  finding: Finding;
  line: LogLine;
  /** Lines of the log that it stood on. */
  lines: number;
}

interface Begun {
  line: LogLine;
  text: string;
  lines: number;
  between: number;
}

/** What the pieces of an unfinished line are put together with; null when `next` is no piece of it. */
function seam(begun: string, next: string): string | null {
  if (isContext(begun)) {
    if (!continuesContext(next)) return null;
    // Pieces begin with a comma; the second half of a name need not.
    return next.startsWith(',') ? '' : '\n';
  }
  if (begun.startsWith('Task')) return continuesCgroupLine(next) ? '' : null;
  if (begun.includes('oom-killer: ')) return /^(?:, {1,2}order=|\(null\)|\d[0-9,-]{0,2000}$)/.test(next) ? '' : null;
  return next.includes(')') ? '\n' : null;
}

/** What an unfinished line says when its rest never comes. */
function partial(text: string): Finding | null {
  const context = parseContext(text);
  if (context) return { kind: 'context', context };
  const invoker = parseInvocation(text);
  if (invoker) return { kind: 'invocation', invoker };
  const kill = parseCutKillLine(text);
  return kill && kill.kind !== 'unfinished' ? kill : null;
}

export class LineJoiner {
  private begun: Begun | null = null;

  /**
   * Takes a message with what it says by itself. Gives back what is known now: nothing while a line is held, the line
   * itself, or first the line held and given up and then the line itself. `taken` says that the message was a piece.
   */
  push(line: LogLine, finding: Finding | null): { known: Joined[]; taken: boolean } {
    if (finding === null) return this.continue(line);
    // The kernel prints the pieces of a line in order: whatever is held is over when another begins.
    const known = this.flush();
    if (finding.kind === 'unfinished') this.begun = { line, text: line.text, lines: 1, between: 0 };
    else known.push({ finding, line, lines: 1 });
    return { known, taken: true };
  }

  /** Gives up what is held. */
  flush(): Joined[] {
    const { begun } = this;
    this.begun = null;
    const finding = begun && partial(begun.text);
    return finding ? [{ finding, line: begun.line, lines: begun.lines }] : [];
  }

  /** A message that says nothing by itself: a piece of what is held, or about something else. */
  private continue(line: LogLine): { known: Joined[]; taken: boolean } {
    const { begun } = this;
    if (!begun) return { known: [], taken: false };
    const room = begun.lines < PIECES_MAX && begun.text.length + line.text.length < MESSAGE_MAX;
    const glue = room ? seam(begun.text, line.text) : null;
    if (glue === null) {
      begun.between += 1;
      return { known: begun.between > LINES_BETWEEN_MAX ? this.flush() : [], taken: false };
    }
    begun.text += glue + line.text;
    begun.lines += 1;
    const whole = findingOf(begun.text);
    if (whole === null || whole.kind === 'unfinished') return { known: [], taken: true };
    this.begun = null;
    return { known: [{ finding: whole, line: begun.line, lines: begun.lines }], taken: true };
  }
}
