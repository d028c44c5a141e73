/** `badness fleet` as a person types it, against a real server. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NatsLink } from '../../src/fleet/index.js';
import { badness } from '../src/support/badness.js';
import { eventually } from './support/eventually.js';
import { startServer, WITHOUT_SERVER } from './support/nats-server.js';
import { scratch } from './support/scratch.js';
import { simulate } from './support/simulated.js';

const skip = WITHOUT_SERVER;

test('fleet commands: a key, a setup, a policy put, rolled out, shown, compared, rolled back and withdrawn; each machine in status', {
  skip,
}, async (t) => {
  const { url } = await startServer(t);
  const folder = scratch(t);
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const fleet = (...words: string[]) => badness(['fleet', ...words], { env: { BADNESS_FLEET: url } });
  const said = (...words: string[]) => {
    const { status, stdout, stderr } = fleet(...words);
    assert.equal(status, 0, stderr);
    return stdout;
  };
  const key = join(folder, 'key.pem');
  const [, trust] = /^\[fleet\]\ntrust = \["(ed25519:[^"]+)"\]\n$/.exec(said('key', key))!;
  assert.equal(statSync(key).mode & 0o777, 0o600);
  const secret = readFileSync(key, 'utf8');
  assert.equal(fleet('key', key).status, 2, 'a key is not replaced');
  assert.equal(readFileSync(key, 'utf8'), secret);
  for (const words of [['policy', 'status'], ['decisions'], ['top']]) {
    const { status, stderr } = fleet(...words);
    assert.deepEqual([status, /badness fleet setup makes it\n$/.test(stderr)], [23, true], stderr);
  }
  said('setup');
  said('setup');
  const link = await NatsLink.open({ servers: [url] });
  t.after(() => link.close());
  const { agent } = simulate('web\u001b[31m-1', link, { trust: [trust!], labels: ['canary'] });
  const [one, two] = [file('one.toml', 'version = 1\nscheme = "resident"\n'), file('two.toml', 'version = 1\n')];
  const signed = ['--key', key];
  assert.equal(said('policy', 'put', 'default', one, ...signed), 'default: revision 1\n');
  const rollout = said('policy', 'rollout', 'default', two, '--label', 'canary', '--percent', '5', ...signed);
  assert.equal(rollout, 'default: revision 2; on its way out: labels canary and 5 %\n');
  await eventually(() => agent.policy?.step === 'next');
  const status = await eventually(
    () => /^web.*$/m.exec(said('policy', 'status'))?.[0].includes('next') && said('policy', 'status'),
  );
  assert.match(status, /^web\\e\[31m-1 +default +2 +next +dry/m);
  assert.ok(!status.includes('\u001b'));
  said('policy', 'rollout', 'default', '--complete', ...signed);
  assert.equal(said('policy', 'diff', 'default', '1'), ' version = 1\n-scheme = "resident"\n');
  assert.equal(said('policy', 'diff', 'default', one), ' version = 1\n+scheme = "resident"\n');
  said('policy', 'rollback', 'default', '1', ...signed);
  assert.match(
    said('policy', 'get', 'default'),
    /^# default, revision 4, signed .*\nversion = 1\nscheme = "resident"\n$/,
  );
  assert.match(said('policy', 'get', 'default', '3'), /^# default, revision 3, signed .*\nversion = 1\n$/);
  said('policy', 'shadow', 'default', two, ...signed);
  said('policy', 'withdraw', 'default', ...signed);
  await eventually(() => agent.policy === null);
});

test('fleet commands: what is wrong has an exit code and one line', { skip }, async (t) => {
  const { url } = await startServer(t);
  const folder = scratch(t);
  const bad = join(folder, 'bad.toml');
  writeFileSync(bad, 'version = 1\nenforc = true\n');
  const fleet = (...words: string[]) => badness(['fleet', ...words, '--fleet', url]);
  assert.equal(fleet('setup').status, 0);
  const cases: [words: string[], status: number, says: RegExp][] = [
    [['policy', 'put', 'default', bad], 14, /bad\.toml:2: enforc is not known; the nearest key is enforce/],
    [['policy', 'withdraw', 'default'], 24, /must be signed/],
    [['policy', 'put', 'host', bad], 2, /expected default, label:NAME or host:NAME/],
    [['policy', 'rollback', 'default', 'x', '--key', bad], 24, /expected an Ed25519 private key/],
    [['policy', 'get', 'default', '7'], 24, /revision 7 is not kept/],
    [['policy', 'rollout', 'default'], 2, /--label and --percent, or --complete, or --stop/],
    [['policy', 'put', 'default'], 2, /wrong number of words/],
    [['policy', 'nothing'], 2, /nothing/],
    [['nothing'], 2, /nothing/],
    [['top', '--host', ''], 2, /--host must be a name of 1\.\.255 bytes, got 0 bytes/],
  ];
  for (const [words, status, says] of cases) {
    const ran = fleet(...words);
    assert.deepEqual([ran.status, ran.stdout], [status, ''], `${words.join(' ')}: ${ran.stderr}`);
    assert.match(ran.stderr, says);
  }
  assert.equal(badness(['fleet', 'setup', '--fleet', 'nats://127.0.0.1:9']).status, 23);
  assert.equal(badness(['fleet', 'setup'], { env: { BADNESS_FLEET: '' } }).status, 2);
});
