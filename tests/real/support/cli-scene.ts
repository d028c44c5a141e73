// One scene for the command line: a pid namespace of its own, in which this bundle is pid 1, a hog, an innocent, and
// one `badness kill`. Nothing else is there to be chosen. The outer half starts it and reads what the inner half saw.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHostile } from './hostile-process.js';
import { memoryCgroup } from './own-cgroup.js';

export interface SceneSetup {
  readonly binary: string;
  /** Folder that holds the built command and koffi. */
  readonly folder: string;
  readonly native: 'auto' | 'none';
  /** Kind of the hog (hostile.c), null for an empty namespace. */
  readonly hog: string | null;
  /** As whom the hog runs; absent: root, and so a holder of CAP_SYS_RAWIO. */
  readonly hogUid?: number;
  /** Of the command; HOG, INNOCENT and DEAD stand for pids. */
  readonly args: readonly string[];
  /** As whom the command runs; absent: root. */
  readonly uid?: number;
  /** What to run in the place of `cli.js kill`: this bundle again, in that role. */
  readonly role?: string;
}

export interface Seen {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly hog: number;
  readonly innocent: number;
  readonly hogLives: boolean;
  readonly innocentLives: boolean;
  /** What the hog's cgroup held when the first output came; null where there is no such cgroup. */
  readonly heldBytes: number | null;
}

export const HOG_MIB = 300;
const INNOCENT_MIB = 60;
const SCENE = 'cli-scene';
/** What starts a command in a pid namespace of its own; for `timeout`. */
export const APART = ['-s', 'KILL', '240', 'unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];

export const isScene = process.env.BADNESS_REAL_CHILD === SCENE;

/** Why there is no such scene here, or false. */
export function noScene(): string | false {
  if (process.getuid?.() !== 0) return 'needs root';
  const tried = spawnSync('timeout', [...APART, 'true'], { encoding: 'utf8' });
  return tried.status === 0 ? false : `no pid namespace: ${tried.stderr?.trim()}`;
}

/** The built command in a folder that every user may read. Removed when this process exits. */
export function installCommand(): string {
  const folder = mkdtempSync(join(tmpdir(), 'badness-cli-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const path of ['dist', 'package.json', 'node_modules/koffi', 'node_modules/@koromix']) {
    if (existsSync(path)) cpSync(path, join(folder, path), { recursive: true, dereference: true });
  }
  spawnSync('chmod', ['-R', 'a+rX', folder]);
  return folder;
}

/** Runs a scene and says what was seen in it. Throws when the scene itself fails. */
export function runScene(bundle: string, setup: SceneSetup): Seen {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    BADNESS_REAL_CHILD: SCENE,
    BADNESS_REAL_SCENE: JSON.stringify(setup),
    BADNESS_REAL_OUTER: String(process.pid),
    BADNESS_NATIVE: setup.native,
  };
  delete env.NODE_TEST_CONTEXT;
  const command = [...APART, process.execPath, '--enable-source-maps', bundle];
  const ran = spawnSync('timeout', command, { env, encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`the namespace ended with ${ran.status ?? ran.signal}: ${ran.stderr}`);
  return JSON.parse(ran.stdout) as Seen;
}

/** A pid that nobody has any more. */
async function deadPid(): Promise<number> {
  const child = spawn('true');
  await once(child, 'exit');
  return child.pid!;
}

function commandLine({ folder, uid, role, args }: SceneSetup): string[] {
  const user = uid === undefined ? [] : ['setpriv', '--reuid', String(uid), '--regid', String(uid), '--clear-groups'];
  const what = role === undefined ? [join(folder, 'dist', 'cli.js'), 'kill', ...args] : [process.argv[1]!];
  return [...user, process.execPath, ...what];
}

/** The inner half, as pid 1. Prints what it saw. */
export async function playScene(): Promise<void> {
  if (process.pid !== 1) throw new Error('a scene needs a pid namespace of its own');
  const setup = JSON.parse(process.env.BADNESS_REAL_SCENE!) as SceneSetup;
  const { binary, hog: kind } = setup;
  const made = memoryCgroup(`cli-${process.env.BADNESS_REAL_OUTER}`);
  const group = 'skip' in made ? null : made;
  try {
    const place = { ...(group ? { cgroup: group } : {}), ...(setup.hogUid ? { uid: setup.hogUid } : {}) };
    const hog = kind === null ? null : await startHostile({ binary, kind, mib: HOG_MIB, ...place });
    const innocent = kind === null ? null : await startHostile({ binary, kind: 'innocent', mib: INNOCENT_MIB });
    const pids = { HOG: hog?.pid ?? 0, INNOCENT: innocent?.pid ?? 0, DEAD: await deadPid() };
    const args = setup.args.map((arg) => arg.replace(/HOG|INNOCENT|DEAD/g, (name) => String(pids[name as 'HOG'])));
    const [file, ...words] = commandLine({ ...setup, args });
    const child = spawn(file!, words, {
      env: { ...process.env, BADNESS_REAL_CHILD: setup.role ?? '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    let heldBytes: number | null = null;
    child.stdout.on('data', (data) => {
      if (stdout === '') heldBytes = group?.usageBytes() ?? null;
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    const [status] = (await once(child, 'close')) as [number | null];
    const hogLives = hog?.running() ?? false;
    const seen: Seen = {
      ...{ status, stdout, stderr, hog: pids.HOG, innocent: pids.INNOCENT, hogLives, heldBytes },
      innocentLives: innocent?.running() ?? false,
    };
    hog?.end();
    innocent?.end();
    process.stdout.write(JSON.stringify(seen));
  } finally {
    await group?.remove();
  }
}
