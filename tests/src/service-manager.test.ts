// What systemd hears of a guard: on a socket of the test's own, from the guard as it is shipped, and of the pace of its signs of life.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadNative, type Native, type NativeLoad } from '../../src/linux/native.js';
import { unixAddress } from '../../src/linux/native-datagram.js';
import { openServiceManager } from '../../src/linux/service-manager.js';
import { badness } from './support/badness.js';
import { openInbox } from './support/datagram-socket.js';
import { startGuardProcess } from './support/guard-process.js';
import { ownFiles } from './support/own-folder.js';

const { native } = await loadNative();
const skip = native === null && 'koffi is not there';

const { folder } = ownFiles();

interface Scene {
  readonly env?: NodeJS.ProcessEnv;
  /** What sending does. */
  readonly send?: () => void;
}

/** A manager whose socket keeps what it is sent. */
function manager({ env = {}, send = () => {} }: Scene = {}) {
  const sent: string[] = [];
  const told: string[] = [];
  const fake = {
    datagramsTo: () => ({
      send: (bytes: Uint8Array) => {
        send();
        sent.push(new TextDecoder().decode(bytes));
      },
      close: () => {},
    }),
  } as unknown as Native;
  const load: NativeLoad = { native: fake, reason: null };
  const all = { NOTIFY_SOCKET: '/run/notify', ...env };
  return { manager: openServiceManager(load, { env: all, tell: (words) => told.push(words) })!, sent, told, env: all };
}

const refused = (code: string) => () => {
  throw Object.assign(new Error(code), { code });
};

describe('service manager: what is said', () => {
  test('service manager: nobody who listens is nobody who is told', () => {
    const load: NativeLoad = { native: null, reason: 'koffi is not installed' };
    assert.equal(openServiceManager(load, { env: {}, tell: assert.fail }), null);
  });

  test('service manager: ready with a status of one line, a reload with the time that systemd compares, the end', () => {
    const { manager: one, sent } = manager();
    one.ready('guards system\nREADY=0');
    const before = process.hrtime.bigint() / 1000n;
    one.reloading();
    one.stopping();
    assert.equal(sent[0], 'READY=1\nSTATUS=guards system READY=0');
    const [, us] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(sent[1]!) ?? [];
    assert.ok(BigInt(us!) >= before && BigInt(us!) <= process.hrtime.bigint() / 1000n);
    assert.equal(sent[2], 'STOPPING=1');
  });

  test('service manager: programs that the guard starts cannot speak in its name', () => {
    const { env } = manager({ env: { WATCHDOG_USEC: '1000000', WATCHDOG_PID: '1', PATH: '/bin' } });
    assert.deepEqual(env, { PATH: '/bin' });
  });

  test('service manager: one that is gone is told of once, and guarding goes on', () => {
    const { manager: one, told } = manager({ env: { WATCHDOG_USEC: '4000000' }, send: refused('ECONNREFUSED') });
    one.ready('');
    one.turned(0);
    one.stopping();
    assert.deepEqual(told, ['the service manager cannot be told: sendto: ECONNREFUSED']);
  });

  test('service manager: where it cannot be told it is an error by name, and not a start that takes for ever', () => {
    const without = (address: string, load: NativeLoad) => () =>
      openServiceManager(load, { env: { NOTIFY_SOCKET: address }, tell: assert.fail });
    const none: NativeLoad = { native: null, reason: 'koffi is not installed' };
    const some: NativeLoad = { native: { datagramsTo: unixAddress } as unknown as Native, reason: null };
    assert.throws(without('/run/notify', none), {
      code: 'ENOTIFY',
      message: /: koffi is not installed; npm install koffi, or Type=exec /,
    });
    assert.throws(without('vsock:2:1234', some), {
      code: 'ENOTIFY',
      message: /must be a path or @name, got "vsock:2:1234"/,
    });
    assert.throws(without(`/${'x'.repeat(107)}`, some), { code: 'ENOTIFY', message: /must fit 108 bytes/ });
    assert.doesNotThrow(without(`/${'x'.repeat(106)}`, some));
  });
});

describe('service manager: signs of life', () => {
  test('service manager: a guard that comes round in time is heard of in half the time of the watchdog', () => {
    const { manager: one, sent } = manager({ env: { WATCHDOG_USEC: '4000000', WATCHDOG_PID: String(process.pid) } });
    const turnMs = one.turnMs!;
    assert.equal(turnMs, 1000);
    const heardMs: number[] = [];
    // The pace of a guard: never later than the longest sleep, and mostly before.
    for (let nowMs = 0, step = 0; nowMs < 60_000; nowMs += [turnMs, 20, 400, 999, turnMs][step++ % 5]!) {
      const before = sent.length;
      one.turned(nowMs);
      if (sent.length > before) heardMs.push(nowMs);
    }
    assert.ok(sent.every((message) => message === 'WATCHDOG=1'));
    const gaps = heardMs.slice(1).map((ms, index) => ms - heardMs[index]!);
    assert.ok(Math.max(...gaps) <= 2000, `${Math.max(...gaps)} ms`);
    assert.ok(Math.min(...gaps) >= 1000, 'not oftener than it is for');
  });

  test('service manager: one that does not come round is not heard of', () => {
    const { manager: one, sent } = manager({ env: { WATCHDOG_USEC: '4000000' } });
    one.ready('');
    assert.deepEqual(sent, ['READY=1\nSTATUS=']);
  });

  test('service manager: what could not be sent is sent at the next turn', () => {
    let full = true;
    const send = () => full && refused('EAGAIN')();
    const { manager: one, sent } = manager({ env: { WATCHDOG_USEC: '4000000' }, send });
    one.turned(0);
    full = false;
    one.turned(20);
    assert.deepEqual(sent, ['WATCHDOG=1']);
  });

  test('service manager: no watchdog, or that of another process, wants no signs', () => {
    for (const env of [
      {},
      { WATCHDOG_USEC: '4000000', WATCHDOG_PID: '1' },
      { WATCHDOG_USEC: '0' },
      { WATCHDOG_USEC: 'x' },
    ]) {
      const { manager: one, sent } = manager({ env });
      one.turned(0);
      assert.deepEqual([one.turnMs, sent], [null, []]);
    }
  });
});

describe('service manager: a guard and a socket', { skip }, () => {
  for (const address of [join(folder, 'notify.sock'), `@badness-notify-${process.pid}`]) {
    test(`service manager: a guard says to ${address.startsWith('@') ? 'an abstract socket' : 'a path'} that it watches, lives, and ends`, async (t) => {
      const inbox = (await openInbox(t, address))!;
      const env = { NOTIFY_SOCKET: address, WATCHDOG_USEC: '400000' };
      const guard = await startGuardProcess(t, { args: ['--domain', 'system', '-m', '12,6'], env });
      await inbox.until('signs of life', (messages) => messages.filter((one) => one === 'WATCHDOG=1').length >= 5);
      const [first] = inbox.messages;
      assert.match(
        first!,
        /^READY=1\nSTATUS=guards system, dry run; warn: .*; SIGTERM: available <= 12 %, .*; SIGKILL: available <= 6 %, [^\n]*$/,
      );
      const { ended } = await guard.stop();
      assert.equal(ended, 0);
      await inbox.until('its end', (messages) => messages.at(-1) === 'STOPPING=1');
      assert.equal(inbox.messages.filter((one) => one.startsWith('READY')).length, 1);
    });
  }

  test('service manager: a socket that nobody has any more is noted, and the guard goes on', async (t) => {
    const env = { NOTIFY_SOCKET: join(folder, 'nobody.sock') };
    const guard = await startGuardProcess(t, { args: ['--domain', 'system'], env });
    await guard.until('the start', () => guard.lines.some(({ kind }) => kind === 'start'));
    await guard.until('the note', () => guard.said.some((line) => line.includes('cannot be told: sendto: ENOENT')));
    assert.equal((await guard.stop()).ended, 0);
  });
});

test('service manager: a guard that cannot tell says so and ends, before it would be waited for', () => {
  const { status, stdout, stderr } = badness(['guard', '--native', 'none'], { env: { NOTIFY_SOCKET: '/run/notify' } });
  assert.deepEqual([status, stdout], [18, '']);
  assert.match(
    stderr,
    /^badness: the service manager waits to be told that the guard watches, and cannot be: switched off; npm install koffi, or Type=exec without [^\n]*\n$/,
  );
});
