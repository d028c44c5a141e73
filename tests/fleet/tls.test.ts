/** TLS as NATS has it: a server with a certificate of its own authority, which wants one of the machine as well. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Fleet, NatsLink } from '../../src/fleet/index.js';
import { eventually } from './support/eventually.js';
import { startServer, WITHOUT_SERVER } from './support/nats-server.js';
import { scratch } from './support/scratch.js';

const skip = WITHOUT_SERVER || (spawnSync('openssl', ['version']).status === 0 ? false : 'no openssl is installed');

/** An authority, and a certificate of it for each name; their paths. */
function certificates(folder: string, names: readonly string[]): void {
  const path = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => {
    const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...curve,
    '-subj',
    '/CN=authority',
    '-days',
    '1',
    '-keyout',
    path('ca.key'),
    '-out',
    path('ca.pem'),
  );
  writeFileSync(path('extensions'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  for (const name of names) {
    openssl('req', ...curve, '-subj', `/CN=${name}`, '-keyout', path(`${name}.key`), '-out', path(`${name}.csr`));
    const signing = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial', '-days', '1'];
    const wanted = ['-in', path(`${name}.csr`), '-extfile', path('extensions'), '-out', path(`${name}.pem`)];
    openssl('x509', '-req', ...signing, ...wanted);
  }
}

test('tls: a machine with its certificate comes in, one without stays outside and goes on', { skip }, async (t) => {
  const folder = scratch(t);
  certificates(folder, ['server', 'machine']);
  const path = (name: string) => join(folder, name);
  const files = `cert_file: "${path('server.pem')}"\nkey_file: "${path('server.key')}"\nca_file: "${path('ca.pem')}"`;
  const server = await startServer(t, `tls {\n${files}\nverify: true\n}`);
  const servers = [`tls://127.0.0.1:${server.port}`];
  const tls = { tlsCa: path('ca.pem'), tlsCert: path('machine.pem'), tlsKey: path('machine.key') };
  await using fleet = await Fleet.connect({ servers, ...tls });
  await fleet.setUp();
  const link = await NatsLink.open({ servers, ...tls });
  t.after(() => link.close());
  await eventually(() => link.isUp);
  const notes: string[] = [];
  for (const less of [{ tlsCa: tls.tlsCa }, {}]) {
    const outside = await NatsLink.open({ servers, ...less, note: (words) => notes.push(words) });
    t.after(() => outside.close());
    const said = notes.length;
    await eventually(() => notes.length > said);
    assert.equal(outside.isUp, false);
  }
});
