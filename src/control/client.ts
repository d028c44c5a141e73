/** Stage: none (sockets). The other end: asks a guard over its control socket. */
import type { IncomingMessage } from 'node:http';
import { BadnessError } from '../errors.js';

export interface ControlAsk {
  /** Path of the resource with its query, such as `/oom`. */
  readonly resource: string;
  /** Default `GET`. */
  readonly method?: 'GET' | 'PUT' | 'POST';
  readonly body?: string;
  /** Until the answer is whole, ms. Default: as long as it takes. */
  readonly timeoutMs?: number;
}

export interface ControlAnswer {
  readonly body: string;
  /** `x-badness-unit` and the like. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

const ERROR_HEADER = 'x-badness-error';

/**
 * Asks once. Rejects with BadnessError: the named error of the guard, `ENOENT` and `ECONNREFUSED` when none listens at `path`,
 * `EACCES` when it may not be asked, `ETIMEDOUT`, `EPROTO` for what is no answer of a guard.
 */
export async function askControl(path: string, ask: ControlAsk): Promise<ControlAnswer> {
  const response = await send(path, ask);
  const body = await whole(response);
  refuse(response, body);
  return { body, headers: response.headers };
}

/** The events of a guard, from now on, until it or the connection ends. Each is what `/events` sends. Rejects as `askControl`. */
export async function* controlEvents(
  path: string,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly kind: string; readonly data: string }> {
  const response = await send(path, { resource: '/events' }, signal);
  if (response.statusCode !== 200) refuse(response, await whole(response));
  response.setEncoding('utf8');
  let text = '';
  try {
    for await (const chunk of response) {
      const blocks = (text + chunk).split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        const kind = /^event: (.*)$/m.exec(block)?.[1];
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (kind !== undefined && data !== undefined) yield { kind, data };
      }
    }
  } catch (error) {
    if (!signal?.aborted) throw failure(path, error as NodeJS.ErrnoException);
  }
}

async function send(path: string, ask: ControlAsk, signal?: AbortSignal): Promise<IncomingMessage> {
  const { request } = await import('node:http');
  const { resource, method = 'GET', body = '', timeoutMs } = ask;
  const limit = timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)];
  const signals = signal ? [signal, ...limit] : limit;
  return new Promise((resolve, reject) => {
    const options = {
      socketPath: path,
      path: resource,
      method,
      headers: { host: 'badness', 'content-length': Buffer.byteLength(body) },
      ...(signals.length > 0 ? { signal: AbortSignal.any(signals) } : {}),
    };
    const outgoing = request(options, resolve);
    outgoing.once('error', (error: NodeJS.ErrnoException) => reject(failure(path, error)));
    outgoing.end(body);
  });
}

async function whole(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch (error) {
    throw failure('the guard', error as NodeJS.ErrnoException);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Named errors come as `CODE: words`, or as JSON. */
function refuse({ statusCode = 0, headers }: IncomingMessage, body: string): void {
  if (statusCode >= 200 && statusCode < 300) return;
  const code = headers[ERROR_HEADER];
  if (typeof code !== 'string')
    throw new BadnessError('EPROTO', `expected an answer of a guard, got HTTP ${statusCode}`);
  throw new BadnessError(code, messageOf(body, code));
}

function messageOf(body: string, code: string): string {
  if (body.startsWith('{')) return (JSON.parse(body) as { message: string }).message;
  return body.trim().replace(`${code}: `, '');
}

function failure(path: string, error: NodeJS.ErrnoException): BadnessError {
  const { code = 'EIO', name } = error;
  if (name === 'TimeoutError' || name === 'AbortError') {
    return new BadnessError('ETIMEDOUT', `no answer from ${path} in time`, { cause: error });
  }
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    return new BadnessError(code, `no guard listens at ${path}`, { cause: error });
  }
  if (code === 'EACCES') return new BadnessError(code, `${path} may not be used by this user`, { cause: error });
  return new BadnessError(code, `${path}: ${error.message}`, { cause: error });
}
