// The systemd unit as it is shipped: systemd has nothing to complain of, it asks for what the guard uses, and the package has it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { EXITS } from '../../src/cli/exit.js';
import { protectionState } from '../../src/cli/guard-control.js';
import { ownFiles } from './support/own-folder.js';

const UNIT = 'packaging/badness.service';
const USERS = 'packaging/badness.sysusers.conf';
const DOMAIN = 'packaging/badness-domain.conf';
/** Of 10, by systemd 252; docs/running.md states what it is. Versions differ a little. */
const EXPOSURE_MOST = 2;

const text = readFileSync(UNIT, 'utf8');

/** Everything that the unit says of a key. */
function said(key: string): string[] {
  return [...text.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].flatMap(([, value]) => value!.split(' '));
}

const sorted = (words: readonly string[]) => [...words].sort();

const { folder } = ownFiles();

const skip = spawnSync('systemd-analyze', ['--version']).error ? 'systemd-analyze is not installed' : false;

describe('unit: systemd', { skip }, () => {
  test('unit: systemd-analyze verify has nothing to complain of', () => {
    mkdirSync(join(folder, 'man1'));
    copyFileSync('dist/badness.1', join(folder, 'man1/badness.1'));
    // Where there is no man, pages cannot be looked for.
    const man = spawnSync('man', ['--version']).error ? ['--man=no'] : [];
    const env = { ...process.env, MANPATH: folder };
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', ...man, UNIT], {
      encoding: 'utf8',
      env,
    });
    assert.equal(stdout + stderr, '');
    assert.equal(status, 0);
  });

  test('unit: its exposure is what docs/running.md says', (t) => {
    const args = ['security', '--offline=true', '--no-pager', UNIT];
    const { stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
    const [line, level] = /Overall exposure level for badness\.service: ([\d.]+)/.exec(stdout) ?? [];
    t.diagnostic(line ?? 'no level');
    assert.ok(Number(level) > 0 && Number(level) <= EXPOSURE_MOST, line);
    const [, stated] = /exposure level ([\d.]+)/.exec(readFileSync('docs/running.md', 'utf8')) ?? [];
    assert.ok(Math.abs(Number(stated) - Number(level)) <= 0.3, `docs say ${stated}`);
  });

  test('unit: its user is one that systemd-sysusers makes', () => {
    const args = ['--dry-run', `${process.cwd()}/${USERS}`];
    const { stderr, stdout, error } = spawnSync('systemd-sysusers', args, { encoding: 'utf8' });
    if (error) return;
    assert.doesNotMatch(stderr + stdout, /failed|unknown|invalid|ignoring/i);
  });
});

describe('unit: what it asks for', () => {
  test('unit: exactly the capabilities that badness doctor looks for, each with a reason and what is lost without it', () => {
    const [, list] = /const CAPABILITIES = \{([^}]*)\}/.exec(readFileSync('src/linux/doctor.ts', 'utf8')) ?? [];
    const used = [...list!.matchAll(/(\w+): \d+/g)].map(([, name]) => `CAP_${name}`);
    assert.equal(used.length, 6);
    assert.deepEqual(sorted(said('CapabilityBoundingSet')), sorted(used));
    assert.deepEqual(said('AmbientCapabilities'), said('CapabilityBoundingSet'));
    const docs = readFileSync('docs/running.md', 'utf8');
    for (const name of used) {
      assert.match(text, new RegExp(`^# ${name} +\\S`, 'm'));
      assert.match(docs, new RegExp(`^\\| \`${name}\` \\| \\S.* \\| \\S.* \\|$`, 'm'));
    }
  });

  test('unit: the calls of the killer pass its filter, and what is refused is an error and no end', () => {
    const calls = said('SystemCallFilter');
    const [, list] = /interface SyscallNumbers \{([^}]*)\}/.exec(readFileSync('src/linux/syscalls.ts', 'utf8')) ?? [];
    const used = [...list!.matchAll(/readonly (\w+):/g)].map(([, name]) =>
      name!.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    );
    // What every service may call: @system-service has @file-system, which has the listing of folders.
    const apart = used.filter((name) => name !== 'eventfd2' && name !== 'getdents64');
    assert.ok(apart.length >= 5);
    for (const name of apart) assert.ok(calls.includes(name), name);
    assert.ok(calls.includes('@system-service'));
    assert.deepEqual(said('SystemCallErrorNumber'), ['EPERM']);
  });

  test('unit: it sees every task, and V8 may write its code', () => {
    assert.deepEqual([said('ProtectProc'), said('ProcSubset'), said('PrivateUsers')], [['default'], ['all'], ['no']]);
    assert.deepEqual(said('MemoryDenyWriteExecute'), ['no']);
  });

  test('unit: readiness, watchdog, reload, socket and state are where the guard has them', () => {
    assert.deepEqual([said('Type'), said('NotifyAccess'), said('WatchdogSec')], [['notify'], ['main'], ['30']]);
    assert.deepEqual(said('ExecReload').join(' '), '/bin/kill -HUP $MAINPID');
    assert.deepEqual(
      [said('RuntimeDirectory'), said('StateDirectory'), said('User')],
      [['badness'], ['badness'], ['badness']],
    );
    assert.deepEqual(said('Environment'), ['BADNESS_CONTROL=/run/badness/control.sock']);
    assert.match(readFileSync(USERS, 'utf8'), /^u badness - /m);
  });

  test('unit: it is not started again where that mends nothing', () => {
    const names = ['usage', 'unknownScheme', 'notLinux', 'unreadable', 'badPolicy', 'unannounced'] as const;
    assert.deepEqual(
      said('RestartPreventExitStatus'),
      names.map((name) => String(EXITS[name].code)),
    );
  });
});

test('unit: values that protection has changed are kept in the state of the service, else beside the socket', () => {
  const place = { path: '/run/badness/control.sock', live: null, note: null };
  assert.deepEqual(protectionState(place, {}), { statePath: '/run/badness/control.sock.protected.json' });
  const second = protectionState({ ...place, path: '/run/badness/second.sock' }, {});
  assert.deepEqual(second, { statePath: '/run/badness/second.sock.protected.json' }, 'not what the first keeps');
  const kept = { statePath: '/var/lib/badness/protected.json' };
  assert.deepEqual(protectionState(place, { STATE_DIRECTORY: '/var/lib/badness' }), kept);
  assert.deepEqual(protectionState(place, { STATE_DIRECTORY: '/var/lib/badness:/var/lib/other' }), kept);
  assert.deepEqual(protectionState({ ...place, path: null }, { STATE_DIRECTORY: '/var/lib/badness' }), {});
});

test('package: has what an installation needs, and no sources', () => {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  for (const path of [
    UNIT,
    USERS,
    DOMAIN,
    'dist/badness.1',
    'dist/cli.js',
    'dist/badness.schema.json',
    'dist/guard-worker.js',
  ])
    assert.ok(paths.includes(path), path);
  const sources = paths.filter((path) => /^(src|assembly|tests|scripts|docs|build)\//.test(path));
  assert.deepEqual(sources, []);
});
