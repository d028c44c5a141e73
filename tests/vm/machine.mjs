// One guest: qemu without hardware help (TCG), so that it runs wherever qemu does. Disks are NVMe, which Debian's cloud kernels have built in.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const QEMU = 'qemu-system-x86_64';
const MIB = 2 ** 20;

export function qemuVersion() {
  const { stdout, error } = spawnSync(QEMU, ['--version'], { encoding: 'utf8' });
  return error ? null : /version (\S+)/.exec(stdout)?.[1];
}

/**
 * What the guest's time is. `virtual`: a nanosecond an instruction on one processor, so that a busy host changes nothing but how long one waits.
 * `host`: that of this machine, on two processors, which costs a third, and shows what happens only while nobody else is busy here.
 */
export const CLOCKS = {
  virtual: ['-accel', 'tcg,thread=single,tb-size=256', '-icount', 'shift=0', '-smp', '1'],
  host: ['-accel', 'tcg,thread=multi,tb-size=256', '-smp', '2'],
};

function disk(name, file) {
  return [
    '-drive',
    `file=${file},if=none,id=${name},format=raw,snapshot=on`,
    '-device',
    `nvme,drive=${name},serial=${name}`,
  ];
}

function emptyFile(file, mib) {
  const fd = openSync(file, 'w');
  ftruncateSync(fd, mib * MIB);
  closeSync(fd);
  return file;
}

/** What init finds in its environment, besides the settings of the kernel. */
function kernelLine(settings) {
  const words = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  const own = ['console=ttyS0', 'root=/dev/nvme0n1', 'rw', 'init=/vm/init', 'panic=-1', 'psi=1', 'quiet', 'loglevel=4'];
  return [...own, 'mitigations=off', 'oops=panic', 'random.trust_cpu=on', ...words].join(' ');
}

function facts(text) {
  try {
    return JSON.parse(text);
  } catch {
    // The kernel may speak in the middle of a line.
    return { fact: 'unreadable', text };
  }
}

/**
 * Boots a guest and resolves when it has gone, at the latest after `limitS` seconds (`late`): with what it said in lines of facts (`@vm {…}`), and all
 * other lines.
 */
export async function runGuest({ kernel, image, memoryMib, swapMib, settings, limitS, clock = 'virtual' }) {
  const folder = mkdtempSync(join(tmpdir(), 'badness-vm-'));
  const swap = swapMib > 0 ? disk('swap', emptyFile(join(folder, 'swap'), swapMib)) : [];
  const machine = [...CLOCKS[clock], '-cpu', 'max', '-m', String(memoryMib)];
  const console = ['-nographic', '-nodefaults', '-serial', 'stdio', '-no-reboot', '-kernel', kernel];
  const args = [...machine, ...console, ...disk('root', image), ...swap, '-append', kernelLine(settings)];
  const began = performance.now();
  const child = spawn('timeout', ['-s', 'KILL', String(limitS), QEMU, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { facts: [], lines: [] };
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      const [, fact] = /@vm (\{.*\})\r?$/.exec(line) ?? [];
      if (fact) said.facts.push(facts(fact));
      else if (said.lines.length < 5000) said.lines.push(line.trimEnd());
    });
  }
  await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  rmSync(folder, { recursive: true, force: true });
  const wallMs = Math.round(performance.now() - began);
  return { ...said, wallMs, late: wallMs >= limitS * 1000 };
}
