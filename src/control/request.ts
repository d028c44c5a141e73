/** Stage: none (sockets). One request, whole and no larger than it may be. */
import type { IncomingMessage } from 'node:http';
import { BadnessError } from '../errors.js';

export interface WholeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

const HEARD_BYTES = 1_048_576;

/** EINVAL is what the files of the proposals answer to a write that is too long. */
function tooLong(most: number): BadnessError {
  const error = new BadnessError('EINVAL', `a body must be at most ${most} bytes`);
  return Object.assign(error, { status: 413 });
}

/**
 * What is too long is still read for a while, and thrown away: a client that is cut off in the middle of its sending does not get to
 * read why.
 */
function readBody(request: IncomingMessage, most: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    if (Number(request.headers['content-length'] ?? 0) > HEARD_BYTES) return reject(tooLong(most));
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= most) chunks.push(chunk);
      else if (length > HEARD_BYTES) {
        request.pause();
        reject(tooLong(most));
      }
    });
    request.once('end', () => (length > most ? reject(tooLong(most)) : resolve(Buffer.concat(chunks))));
    // ECONNRESET too, when the client goes in the middle of it.
    request.once('error', reject);
  });
}

/** Rejects with BadnessError `EINVAL`, or ECONNRESET; waits as long as the server's limits let it. */
export async function readRequest(request: IncomingMessage, bodyBytes: number): Promise<WholeRequest> {
  const { method = 'GET', url = '' } = request;
  const base = 'http://badness';
  if (!url.startsWith('/') || !URL.canParse(url, base)) {
    throw new BadnessError('EINVAL', `the path must begin with /, got ${JSON.stringify(url.slice(0, 80))}`);
  }
  const { pathname, searchParams } = new URL(`${base}${url}`);
  return { method, path: pathname, query: searchParams, body: await readBody(request, bodyBytes) };
}
