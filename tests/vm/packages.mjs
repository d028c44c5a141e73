// Debian's packages for the guest: fetched with apt (which checks their signatures) into a cache folder and unpacked there. Nothing is installed or
// started on this machine, and its own sources do not matter: the guest is Debian 12 whatever the host is.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const MIRROR = 'http://deb.debian.org';
const FETCH_MS = 300_000;

/** Where fetched and unpacked packages stay: BADNESS_VM_CACHE, or below the cache folder of the user. */
export function cacheFolder() {
  const { BADNESS_VM_CACHE, XDG_CACHE_HOME } = process.env;
  return BADNESS_VM_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'badness-vm');
}

/** Kernels by the suite they come from: those of Debian 12 and its backports, and that of Debian 11 besides. */
export const KERNELS = { 6.1: 'bookworm', 6.12: 'bookworm-backports', '5.10': 'bullseye' };

const line = (suite, part) => `deb [signed-by=${KEYRING}] ${MIRROR}/${part} ${suite} main\n`;

/** What apt reads for a suite: security updates where a suite has them. */
function sources(suite) {
  if (suite.endsWith('-backports')) return line(suite, 'debian');
  return line(suite, 'debian') + line(`${suite}-security`, 'debian-security');
}

function run(command, args, options = {}) {
  return execFileSync(command, args, {
    ...{ encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: FETCH_MS, killSignal: 'SIGKILL' },
    ...options,
  });
}

/** An apt of its own: lists, cache and state below the cache folder. */
class Apt {
  constructor(suite) {
    this.folder = join(cacheFolder(), 'apt', suite);
    this.debs = join(cacheFolder(), 'debs', suite);
    for (const part of ['state/lists/partial', 'cache/archives/partial']) {
      mkdirSync(join(this.folder, part), { recursive: true });
    }
    mkdirSync(this.debs, { recursive: true });
    writeFileSync(join(this.folder, 'sources.list'), sources(suite));
    writeFileSync(join(this.folder, 'status'), '');
    const settings = {
      'Dir::Etc::SourceList': join(this.folder, 'sources.list'),
      'Dir::Etc::SourceParts': '-',
      'Dir::State': join(this.folder, 'state'),
      'Dir::State::Status': join(this.folder, 'status'),
      'Dir::Cache': join(this.folder, 'cache'),
      'APT::Sandbox::User': 'root',
      'Acquire::Languages': 'none',
    };
    this.options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  }

  update() {
    run('apt-get', [...this.options, 'update', '-qq']);
  }

  /** What a package that only stands for others depends on: the kernel of the day. */
  standsFor(name) {
    const text = run('apt-cache', [...this.options, 'depends', '--important', name]);
    const [, found] = /Depends: (linux-image-\S+)/.exec(text) ?? [];
    if (!found) throw new Error(`apt knows no kernel for ${name} of ${this.folder}; it said ${JSON.stringify(text)}`);
    return found;
  }

  download(names) {
    run('apt-get', [...this.options, 'download', '-qq', ...names], { cwd: this.debs });
  }
}

/** The file of a package that was fetched: the newest, of several. */
function debFile(folder, name) {
  return join(
    folder,
    readdirSync(folder)
      .filter((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'))
      .sort()
      .at(-1),
  );
}

/** Unpacks into `folder` at once or not at all. */
function unpack(files, folder) {
  if (existsSync(folder)) return folder;
  const making = `${folder}.making-${process.pid}`;
  mkdirSync(making, { recursive: true });
  for (const file of files) run('dpkg-deb', ['-x', file, making]);
  for (const idle of ['doc', 'man', 'locale', 'lintian', 'bash-completion', 'zsh']) {
    rmSync(join(making, 'usr/share', idle), { recursive: true, force: true });
  }
  renameSync(making, folder);
  return folder;
}

const PROGRAMS = ['busybox-static', 'earlyoom', 'nohang', 'oomd', 'systemd-oomd'];

/** Libraries of the contestants and of Node, and the Python that nohang is written in. */
const LIBRARIES = [
  ...['libc6', 'libgcc-s1', 'libstdc++6', 'libjsoncpp25', 'libsystemd0', 'libsystemd-shared', 'libcap2', 'libgcrypt20'],
  ...[
    'libgpg-error0',
    'liblzma5',
    'libzstd1',
    'liblz4-1',
    'libacl1',
    'libblkid1',
    'libcrypt1',
    'libip4tc2',
    'libkmod2',
  ],
  ...['libmount1', 'libssl3', 'libpam0g', 'libseccomp2', 'libselinux1', 'libaudit1', 'libpcre2-8-0', 'libcap-ng0'],
  ...[
    'libexpat1',
    'zlib1g',
    'libffi8',
    'libbz2-1.0',
    'python3.11-minimal',
    'libpython3.11-minimal',
    'libpython3.11-stdlib',
  ],
];

/** A folder with everything of Debian that the guest has, and the versions of what is compared. */
export function fetchBase() {
  const folder = join(cacheFolder(), 'base');
  const names = [...PROGRAMS, ...LIBRARIES];
  const apt = new Apt('bookworm');
  if (!existsSync(folder)) {
    apt.update();
    apt.download(names);
    unpack(
      names.map((name) => debFile(apt.debs, name)),
      folder,
    );
  }
  const version = (name) => run('dpkg-deb', ['-f', debFile(apt.debs, name), 'Version']).trim();
  return { folder, versions: Object.fromEntries(PROGRAMS.map((name) => [name, version(name)])) };
}

/** The kernel of that line, `6.1` and so on: the file that is booted, and its package. Throws when it cannot be had. */
export function fetchKernel(name) {
  const suite = KERNELS[name];
  if (!suite) throw new RangeError(`a kernel must be one of ${Object.keys(KERNELS).join(', ')}, got ${name}`);
  const folder = join(cacheFolder(), 'kernels', suite);
  const apt = new Apt(suite);
  if (!existsSync(folder)) {
    apt.update();
    const found = apt.standsFor('linux-image-cloud-amd64');
    apt.download([found]);
    unpack([debFile(apt.debs, found)], folder);
  }
  const image = readdirSync(join(folder, 'boot')).find((file) => file.startsWith('vmlinuz-'));
  return { file: join(folder, 'boot', image), version: image.slice('vmlinuz-'.length) };
}
