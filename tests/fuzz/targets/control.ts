/** The control socket: whatever bytes come, there is an answer in HTTP or the end of the connection, and the next one is heard. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { openControl } from '../../../src/control/control.js';
import { openEngine } from '../../../src/engine.js';
import { loadTasks } from '../../../src/task.js';
import { FakeControlled, RawClient } from '../../src/support/control-scene.js';
import { bytesOf, type Target } from '../target.js';

const LIMITS = { headersMs: 200, requestMs: 300, idleMs: 300 };
const ANSWER_MS = 10_000;

const open = async () => {
  const engine = await openEngine({ maxTasks: 64 });
  loadTasks(
    engine,
    [
      { tgid: 1, comm: 'init' },
      { tgid: 40, comm: 'h\n\x1b[2J', rssPages: 700 },
    ],
    {
      ...{ hz: 100, pageSize: 4096, uptimeS: 100, totalPages: 9000 },
    },
  );
  const folder = mkdtempSync(join(tmpdir(), 'badness-fuzz-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const guard = new FakeControlled(engine);
  return openControl({ guard, path: join(folder, 'c.sock'), native: 'none', limits: LIMITS });
};
/** Opened with the first input: a run of other targets needs no server. */
let opened: ReturnType<typeof open> | null = null;

const PATHS = [
  '/',
  '/oom',
  '/state',
  '/rank',
  '/explain/40',
  '/decisions',
  '/decisions/3/recording',
  '/metrics',
  '/1/oom',
  '/oom_kill_protection/ctl',
];
const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'CONNECT', 'PATCH', 'constructor'];
const request = fc
  .tuple(
    ...([
      fc.constantFrom(...METHODS),
      fc.constantFrom(...PATHS, '/oom_kill_protection/self', '/events2', '//x', '*', '/%00', '/__proto__'),
    ] as const),
    fc.constantFrom(
      '',
      '?limit=1',
      '?limit=-1',
      '?missing=drop',
      '?lasts_ms=5',
      '?scheme=badness',
      '?__proto__=1',
      '?last=999999999999',
    ),
    fc.constantFrom('', '11 22', 'setprotection 5 1', '\0', 'x'.repeat(100)),
  )
  .map(
    ([method, path, query, body]) =>
      `${method} ${path}${query} HTTP/1.1\r\nHost: b\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );

function answered(path: string, input: string): Promise<string> {
  const client = new RawClient(path);
  const late = setTimeout(() => client.socket.destroy(new Error('no answer')), ANSWER_MS);
  client.socket.end(bytesOf(input));
  return client.ended.then(() => {
    clearTimeout(late);
    return client.text;
  });
}

export const control: Target = {
  name: 'control',
  seeds: PATHS.flatMap((path) => [
    `GET ${path} HTTP/1.1\r\nHost: b\r\n\r\n`,
    `PUT ${path} HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\n11 22`,
    `POST ${path} HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n11 22\r\n0\r\n\r\n`,
  ]),
  words: [
    ...METHODS,
    ...PATHS,
    ...[
      '\r\n',
      '\n',
      '\r\n\r\n',
      ' HTTP/1.1',
      ' HTTP/1.0',
      ' HTTP/2',
      'Host: b\r\n',
      'Content-Length: ',
      'Transfer-Encoding: chunked\r\n',
      'Expect: 100-continue\r\n',
    ],
    ...[
      'Upgrade: x\r\nConnection: upgrade\r\n',
      'Connection: keep-alive\r\n',
      '?limit=',
      '?scheme=',
      '%00',
      '%2e%2e',
      '..',
      '\0',
      '\xff',
      '0\r\n\r\n',
      'ffffffff\r\n',
    ],
  ],
  shaped: request,
  most: 2000,
  async check(input) {
    opened ??= open();
    const server = await opened;
    const text = await answered(server.path, input);
    // Nothing but the end is an answer to half a request, whose sender has shut its side down.
    if (text === '') return 'ended';
    const [head, status] = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n(?:[!-~]+: [^\r\n]*\r\n)*\r\n/.exec(text) ?? [];
    assert.ok(head !== undefined && status !== undefined, `no HTTP: ${JSON.stringify(text.slice(0, 200))}`);
    assert.ok(Number(status) < 500 || status === '501' || status === '503', text.slice(0, 300));
    assert.ok(!text.includes('\x1b', head.length), 'an escape code');
    return `${status} ${/X-Badness-Error: (\w+)/.exec(head)?.[1] ?? ''}`;
  },
};
