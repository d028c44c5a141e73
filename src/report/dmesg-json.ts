/** Stage: bytes → lines. `dmesg --json`: one document of many lines, in which each record has a line for each of its fields. */
import type { LogLine } from './prefix.js';

const BEGIN = /^ {0,8}"dmesg": {0,8}\[$/;
const FIELD = /^ {0,16}"(fac|pri|time|caller|msg)": {0,16}(.+?),?$/;
/** Priorities are facility · 8 + level; facility 0 is the kernel's own. */
const LEVELS = 8;

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

/** Lines of such a document one after the other; between its first and its last all are its own. */
export class DmesgJsonReader {
  private isWithin = false;
  private fields = new Map<string, unknown>();

  /** The record that ends with this line; null for the other lines of the document, undefined for what is not of it. */
  read(text: string): LogLine | null | undefined {
    if (!this.isWithin) {
      this.isWithin = BEGIN.test(text);
      return this.isWithin ? null : undefined;
    }
    if (text === '}') this.isWithin = false;
    const [, name, json] = FIELD.exec(text) ?? [];
    if (name === undefined || json === undefined) return null;
    this.fields.set(name, parsed(json));
    return name === 'msg' ? this.record() : null;
  }

  private record(): LogLine | null {
    const { fields } = this;
    this.fields = new Map();
    const [msg, pri, time, caller] = ['msg', 'pri', 'time', 'caller'].map((name) => fields.get(name));
    if (typeof msg !== 'string') return null;
    const facility = fields.get('fac') ?? 'kern';
    const isKernels = facility === 'kern' && (typeof pri !== 'number' || pri < LEVELS);
    return {
      text: msg,
      stamp: typeof time === 'string' ? time : null,
      uptimeS: typeof time === 'number' ? time : null,
      caller: typeof caller === 'string' && /^[TC]\d{1,10}$/.test(caller) ? caller : null,
      sequence: null,
      origin: isKernels ? 'kernel' : 'other',
    };
  }
}
