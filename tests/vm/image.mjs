// The guest's file system: Debian's packages, this machine's Node, the packed project with koffi, and the folder guest/. No root, no mount.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { installPacked } from '../runtimes/packed.mjs';

const IMAGE_MIB = 640;
const EMPTY = ['proc', 'sys', 'dev', 'tmp', 'run', 'root', 'mnt', 'var/log', 'var/lib', 'opt'];

/** Without the parts that need other libraries, or no guest needs. */
const IDLE_PYTHON = ['test', 'idlelib', 'ensurepip', 'lib2to3', 'tkinter', 'pydoc_data'];

function makeBusybox(root) {
  const busybox = join(root, 'bin/busybox');
  const names = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const name of names.filter((one) => one !== 'busybox')) symlinkSync('busybox', join(root, 'bin', name));
}

function compileStage(root) {
  const flags = ['-O2', '-static', '-Wall', '-Wextra', '-Werror'];
  execFileSync('gcc', [...flags, '-o', join(root, 'bin/stage'), 'tests/vm/guest/stage.c', 'tests/vm/guest/actors.c'], {
    stdio: 'inherit',
  });
}

async function installProject(root) {
  const { folder } = await installPacked();
  try {
    cpSync(join(folder, 'node_modules'), join(root, 'opt/node_modules'), { recursive: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fill(root, base) {
  cpSync(base, root, { recursive: true, verbatimSymlinks: true });
  for (const folder of EMPTY) mkdirSync(join(root, folder), { recursive: true });
  for (const idle of IDLE_PYTHON) {
    rmSync(join(root, 'usr/lib/python3.11', idle), { recursive: true, force: true });
  }
  makeBusybox(root);
  copyFileSync(process.execPath, join(root, 'usr/bin/node'));
  symlinkSync('python3.11', join(root, 'usr/bin/python3'));
  await installProject(root);
  compileStage(root);
  cpSync('tests/vm/guest', join(root, 'vm'), { recursive: true });
  for (const file of ['vm/init', 'usr/bin/node']) chmodSync(join(root, file), 0o755);
  const users = ['root:x:0:0::/root:/bin/sh', 'plain:x:1000:1000::/tmp:/bin/sh'];
  writeFileSync(join(root, 'etc/passwd'), `${users.join('\n')}\n`);
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nplain:x:1000:\n');
  writeFileSync(join(root, 'etc/machine-id'), '');
}

/** Makes the file system in `file`. It is never written to: every guest has its changes to itself. */
export async function makeImage(base, file) {
  mkdirSync(dirname(file), { recursive: true });
  const root = mkdtempSync(join(tmpdir(), 'badness-vm-root-'));
  try {
    await fill(root, base);
    rmSync(file, { force: true });
    const form = ['-q', '-F', '-t', 'ext4', '-O', '^has_journal', '-E', 'root_owner=0:0', '-d', root];
    execFileSync('/sbin/mke2fs', [...form, file, `${IMAGE_MIB}M`], { stdio: ['ignore', 'ignore', 'inherit'] });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return file;
}
