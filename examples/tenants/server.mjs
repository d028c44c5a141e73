// An HTTP server whose tenants have a cache each, under one budget. Who floods it is shed; the others keep theirs.
//
//     node examples/tenants/server.mjs [budget, 64MiB] [port, any]
//     curl --data-binary @photo.jpg -X PUT 127.0.0.1:PORT/alice/photo
//     curl 127.0.0.1:PORT
import { createServer } from 'node:http';
import { definePolicy } from 'badness/policy';
import { guardRegistered, TaskRegistry } from 'badness/registered';

const [budget = '64MiB', port = '0'] = process.argv.slice(2);
const BODY_MOST = 8 * 2 ** 20;
const MIB = 2 ** 20;

const registry = new TaskRegistry();
const tenants = new Map();

class Tenant {
  bytes = 0;
  #cache = new Map();

  constructor(name) {
    registry.register({ name, memory: () => this.bytes, shed: (ask) => this.shed(ask) });
  }

  get(key) {
    return this.#cache.get(key);
  }

  put(key, body) {
    this.drop(key);
    this.#cache.set(key, body);
    this.bytes += body.length;
  }

  drop(key) {
    this.bytes -= this.#cache.get(key)?.length ?? 0;
    this.#cache.delete(key);
  }

  /** The oldest first, until there is enough; when asked hard, everything. */
  shed({ hard, neededBytes }) {
    const before = this.bytes;
    for (const key of this.#cache.keys()) {
      if (!hard && before - this.bytes >= neededBytes) break;
      this.drop(key);
    }
    return before - this.bytes;
  }
}

function tenant(name) {
  if (!tenants.has(name)) tenants.set(name, new Tenant(name));
  return tenants.get(name);
}

async function bodyOf(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > BODY_MOST) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function answer(request, response) {
  const [, name, key] = request.url.split('/');
  if (!name)
    return response.end(JSON.stringify(Object.fromEntries([...tenants].map(([who, { bytes }]) => [who, bytes]))));
  if (request.method !== 'PUT') {
    const body = tenants.get(name)?.get(key);
    response.statusCode = body ? 200 : 404;
    return response.end(body);
  }
  const body = await bodyOf(request);
  if (body) tenant(name).put(key, body);
  response.statusCode = body ? 204 : 413;
  response.end();
}

const guard = await guardRegistered({
  policy: definePolicy({ enforce: true, domain: { registered: 'tenants', budget } }),
  registry,
  tell(event) {
    if (event.kind !== 'round') return;
    const { outcome, victim, freedBytes } = event.report;
    console.log(`${victim?.comm ?? 'nobody'} ${outcome}: ${((freedBytes ?? 0) / MIB).toFixed(1)} MiB back`);
  },
});

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});
server.listen(Number(port), '127.0.0.1', () => console.log(`listening on 127.0.0.1:${server.address().port}`));

process.once('SIGTERM', async () => {
  server.close();
  server.closeAllConnections();
  await guard.close();
});
