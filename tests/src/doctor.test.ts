import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DoctorSource, readDoctorFacts } from '../../src/linux/doctor.js';
import { doctorLines } from '../../src/linux/doctor-report.js';
import { loadNative } from '../../src/linux/native.js';

const NONE = { native: null, reason: 'koffi is not installed' };

function machine(files: Record<string, string | Error>): DoctorSource {
  return {
    kernel: () => '6.1.0',
    pids: () =>
      Object.keys(files)
        .map((path) => /^\/proc\/(\d+)\/comm$/.exec(path)?.[1])
        .filter((pid) => pid !== undefined)
        .map(Number),
    read(path) {
      const file = files[path];
      if (file instanceof Error) throw file;
      if (file === undefined) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
      return file;
    },
  };
}

const BARE = machine({
  '/proc/self/status': 'Name:\tnode\nCapEff:\t0000000000000020\n',
  '/proc/self/limits':
    'Limit                     Soft Limit           Hard Limit           Units     \n' +
    'Max open files            1024                 1048576              files     \n' +
    'Max locked memory         8388608              unlimited            bytes     \n',
  '/proc/meminfo': 'MemTotal:       100 kB\nSwapTotal:             0 kB\n',
  '/proc/self/cgroup': '0::/user.slice\n',
  '/proc/self/mounts': 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\nproc /proc proc rw,nosuid,hidepid=invisible 0 0\n',
  '/sys/fs/cgroup/cgroup.controllers': 'cpu io memory pids\n',
  '/proc/pressure/memory': Object.assign(new Error('EOPNOTSUPP'), { code: 'EOPNOTSUPP' }),
  '/proc/77/comm': 'earlyoom\n',
  '/proc/78/comm': 'bash\n',
});

test('doctor: facts of a machine of tables', () => {
  const facts = readDoctorFacts(NONE, BARE);
  assert.deepEqual(facts.capabilities, {
    DAC_OVERRIDE: false,
    KILL: true,
    IPC_LOCK: false,
    SYS_PTRACE: false,
    SYS_NICE: false,
    SYS_RESOURCE: false,
  });
  assert.deepEqual(facts.limits, {
    nofileSoft: 1024,
    nofileHard: 1_048_576,
    memlockSoftBytes: 8_388_608,
    memlockHardBytes: 'unlimited',
  });
  assert.deepEqual(
    [facts.cgroupMemory, facts.psi, facts.swapTotalKib, facts.hidepid],
    ['v2', 'disabled', 0, 'invisible'],
  );
  assert.deepEqual(facts.daemons, [{ tgid: 77, comm: 'earlyoom' }]);
  assert.deepEqual([facts.native.path, facts.native.reason], ['kill', 'koffi is not installed']);
});

test('doctor: lines name the path, its reason, and what will be missed', () => {
  const lines = doctorLines(readDoctorFacts(NONE, BARE));
  assert.ok(lines.includes('signals: kill(2) after reading the kept descriptor (koffi is not installed)'));
  assert.ok(lines.includes('swap: none'));
  assert.ok(lines.includes('warning: earlyoom (77) also kills when memory is short'));
  assert.ok(lines.some((line) => line.startsWith('warning: hidepid=invisible')));
  assert.ok(!lines.some((line) => line.includes('CAP_KILL')));
});

test('doctor: an unreadable machine is all unknown, and no crash', () => {
  const facts = readDoctorFacts(NONE, machine({}));
  assert.deepEqual(
    [facts.capabilities, facts.cgroupMemory, facts.psi, facts.swapTotalKib],
    [null, 'none', 'absent', null],
  );
  assert.deepEqual(facts.limits.nofileSoft, null);
  assert.ok(doctorLines(facts).includes('capabilities: unknown'));
});

test('doctor: v1 is found by its hierarchy', () => {
  const source = machine({ '/proc/self/cgroup': '4:cpu,memory:/a\n0::/\n' });
  assert.equal(readDoctorFacts(NONE, source).cgroupMemory, 'v1');
});

test('doctor: this machine answers', { skip: process.platform !== 'linux' && 'needs Linux' }, async () => {
  const load = await loadNative({ native: 'auto' });
  const facts = readDoctorFacts(load);
  assert.ok(facts.capabilities !== null && typeof facts.limits.nofileSoft === 'number');
  if (load.native) assert.equal(facts.native.path, 'pidfd');
  JSON.parse(JSON.stringify(facts));
});
