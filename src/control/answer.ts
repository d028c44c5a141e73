/**
 * Stage: report. What is answered, and how an error is named. Resources that are text answer an error as `EINVAL: words`, those
 * that are JSON as `{"error":"EINVAL","message":"words"}`; the header X-Badness-Error has the name in both.
 */
import type { ServerResponse } from 'node:http';

export interface Answer {
  /** Default 200. */
  readonly status?: number;
  /** Content-Type. */
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export const TEXT = 'text/plain; charset=utf-8';
export const JSON_TYPE = 'application/json';
export const NDJSON = 'application/x-ndjson';

export const textAnswer = (body: string): Answer => ({ type: TEXT, body });
export const jsonAnswer = (value: unknown): Answer => ({ type: JSON_TYPE, body: `${JSON.stringify(value)}\n` });
/** Done, and nothing to say about it. */
export const DONE: Answer = { status: 204, type: TEXT, body: '' };

const STATUS: Readonly<Record<string, number>> = {
  EINVAL: 400,
  EPERM: 403,
  EACCES: 403,
  ESRCH: 404,
  ENOENT: 404,
  ENODATA: 404,
  EOPNOTSUPP: 405,
  ETIMEDOUT: 408,
  EBUSY: 409,
  E2BIG: 413,
  EMSGSIZE: 431,
  ENOSYS: 501,
  EUSERS: 503,
};

/** The name, the words and the HTTP status of whatever was thrown. Another's error without a name is EIO. */
export function namedError(error: unknown): { code: string; message: string; status: number } {
  const { code, status, message = String(error) } = error as { code?: unknown; status?: number; message?: string };
  const name = typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : 'EIO';
  return { code: name, message, status: status ?? STATUS[name] ?? 500 };
}

export function errorAnswer(error: unknown, asText: boolean): Answer {
  const { code, message, status } = namedError(error);
  const headers = { 'X-Badness-Error': code };
  if (asText) return { status, headers, type: TEXT, body: `${code}: ${message.replaceAll('\n', ' ')}\n` };
  return { ...jsonAnswer({ error: code, message }), status, headers };
}

/** With this Node ends the connection after the answer. */
export const LAST = { Connection: 'close', 'Cache-Control': 'no-store' };

/** Sends it whole. A connection answers once. */
export function send(response: ServerResponse, { status = 200, type, body, headers = {} }: Answer): void {
  const length = status === 204 ? {} : { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) };
  response.writeHead(status, { ...headers, ...length, ...LAST });
  response.end(body);
}
