/** Stage: none (sockets). The HTTP server, with its limits; and what is answered to those who do not speak HTTP. */
import type { RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { ControlLimits } from './limits.js';

export interface HttpHooks {
  readonly connected: (socket: Socket) => void;
  readonly asked: RequestListener;
}

/** Node's server costs some milliseconds and megabytes, which those who never open one do without. */
export async function openHttpServer(limits: ControlLimits, { connected, asked }: HttpHooks): Promise<Server> {
  const { createServer } = await import('node:http');
  const { headerBytes, headersMs, requestMs } = limits;
  const server = createServer({
    maxHeaderSize: headerBytes,
    // Node refuses to wait longer for a part than for the whole.
    headersTimeout: Math.min(headersMs, requestMs),
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(headersMs, 1000),
  });
  server.maxHeadersCount = 64;
  server.on('connection', connected);
  // One answer a connection. Those who send requests ahead find the rest of them unheard, which costs the least.
  const heard = new WeakSet<Socket>();
  server.on('request', (request, response) => {
    if (heard.has(request.socket)) return;
    heard.add(request.socket);
    asked(request, response);
  });
  server.on('clientError', refuseMalformed);
  return server;
}

const NOT_HTTP = { status: '400 Bad Request', code: 'EINVAL', words: 'this is no HTTP request' };
const MALFORMED: Readonly<Record<string, typeof NOT_HTTP>> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    code: 'ETIMEDOUT',
    words: 'the request did not come in time',
  },
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    code: 'EMSGSIZE',
    words: 'the headers are too long',
  },
};

/** There is no response to what is no request: it is written by hand. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const { status, code, words } = MALFORMED[error.code ?? ''] ?? NOT_HTTP;
  const body = `${code}: ${words}\n`;
  const headers = ['Connection: close', `X-Badness-Error: ${code}`, `Content-Length: ${body.length}`];
  socket.end([`HTTP/1.1 ${status}`, ...headers, '', body].join('\r\n'), () => socket.destroy());
}
