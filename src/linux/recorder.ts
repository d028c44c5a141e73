/**
 * Stage: bytes of /proc → report. Records this machine: reads everybody as `rank` does and keeps what was read, with what else a policy,
 * a guard or a person may ask of it later. Looks only; nobody is signalled.
 */
import { release } from 'node:os';
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import { BadnessError } from '../errors.js';
import type { DomainSpec } from '../policy/domain-spec.js';
import { FILES } from '../proc/cgroup-memory.js';
import { readTasksFrom } from '../proc/read-all.js';
import { type Entry, type RecordedDomain, SNAPSHOT_FACTS_DEFAULT } from '../recording/recording.js';
import { Redactor } from '../recording/redact.js';
import { type MachineState, RecordingWriter } from '../recording/writer.js';
import { cgroupMembers } from './cgroup.js';
import { autoDomain } from './domain.js';
import { monotonicMs } from './linux-world.js';
import { liveFiles } from './live-files.js';
import { requireProc } from './machine.js';
import type { Native } from './native.js';
import { namedLimit } from './open-domain.js';
import { sharedMemory } from './shared-memory.js';
import { TappedFiles } from './tapped-files.js';

/** What of this machine is recorded, and what is replaced. */
export interface RecorderOptions {
  /** Whose memory is recorded beside the machine's, and whose members alone are. Default: the machine. */
  readonly domain?: RecordedDomain;
  /** Asks which processes share memory; null records without. */
  readonly native?: Native | null;
  /** Replaces names, commands, users and cgroups. Default false. */
  readonly redact?: boolean;
  /** A pid to leave out: that of whoever only looks. */
  readonly except?: number;
  /** Program and version, for the first lines. */
  readonly madeBy?: string;
}

const SYSTEM_FILES = ['meminfo', 'uptime', 'zoneinfo', 'stat', 'vmstat', 'pressure/memory', 'spl/kstat/zfs/arcstats'];
/** They change with the program that a task runs, and reading arguments may wait for the disk. */
const PROGRAM_FILES = [
  ['cmdline', 'start'],
  ['exe', 'link'],
  ['cgroup', 'start'],
] as const;

/** The domain that a policy names, as a recording has it. @throws BadnessError `EDOMAIN` for one that cannot be recorded. */
export function recordedDomain(spec: DomainSpec): RecordedDomain {
  if (spec === 'system') return { kind: 'system' };
  if (spec === 'auto') {
    const auto = autoDomain({ for: 'daemon' });
    return auto.kind === 'system'
      ? { kind: 'system' }
      : { kind: 'memcg', version: auto.limit.version, dir: auto.limit.dir };
  }
  if ('memcg' in spec) {
    const { version, dir } = namedLimit(spec.memcg);
    return { kind: 'memcg', version, dir };
  }
  throw new BadnessError('EDOMAIN', 'only the system and memory cgroups can be recorded');
}

/** What tells whether a task still runs the same program: its start, its name and where its code begins. */
function programOf(stat: Entry | undefined): string {
  if (stat?.kind !== 'file') return '';
  const end = stat.bytes.lastIndexOf(')');
  const fields = stat.bytes.slice(end + 2).split(' ');
  return `${stat.bytes.slice(0, end)} ${fields[19]} ${fields[23]}`;
}

/** One recording of this machine. */
export class Recorder {
  readonly #engine: Engine;
  readonly #options: RecorderOptions;
  readonly #writer = new RecordingWriter();
  readonly #redactor: Redactor | null;
  #before: ReadonlyMap<string, Entry> = new Map();

  /** `engine` with room for the tasks of the machine. Throws BadnessError `ENOTLINUX`. */
  constructor(engine: Engine, options: RecorderOptions = {}) {
    requireProc();
    this.#engine = engine;
    this.#options = options;
    this.#redactor = options.redact ? new Redactor() : null;
  }

  /** What comes first. */
  head(): string {
    const { domain = { kind: 'system' }, madeBy = null } = this.#options;
    const facts = { madeBy, kernel: release(), pageSize: liveFiles.pageSize('/proc'), domain };
    const redactor = this.#redactor;
    return redactor ? this.#writer.head(redactor.facts(facts), redactor.comments()) : this.#writer.head(facts);
  }

  /** The next snapshot: the machine now. Throws BadnessError `ENOTLINUX`; EDOMAIN when the cgroup is gone. */
  snapshot(): { readonly text: string; readonly tasks: number } {
    const now = { monotonicMs: monotonicMs(), wallMs: Date.now() };
    const files = new TappedFiles();
    for (const name of SYSTEM_FILES) files.note(`/proc/${name}`);
    const members = this.#noteDomain(files);
    const { except } = this.#options;
    const { tasks } = readTasksFrom(this.#engine, files, {
      ...(except === undefined ? {} : { except }),
      ...(members ? { members: () => members.map(String) } : {}),
    });
    this.#notePrograms(files);
    const shares = sharedMemory(this.#engine, this.#options.native ?? null);
    const bootMs = Math.round(Number.parseFloat(files.text('/proc/uptime')) * 1000);
    const facts = { ...SNAPSHOT_FACTS_DEFAULT, members, shares };
    const state: MachineState = { ...now, bootMs, entries: files.entries, owners: files.owners, facts };
    const text = this.#writer.snapshot(this.#redactor ? this.#redactor.state(state) : state);
    this.#before = files.entries;
    return { text, tasks };
  }

  /** The last line of a recording that was not cut off. */
  tail(): string {
    return this.#writer.tail();
  }

  /** The figures of the domain's own; its members, null for everybody. */
  #noteDomain(files: TappedFiles): number[] | null {
    const { domain } = this.#options;
    if (domain?.kind !== 'memcg') return null;
    const { dir, version } = domain;
    const { limit, high, usage, swapLimit, kills } = FILES[version];
    const names = [
      limit,
      ...(high === null ? [] : [high]),
      usage,
      'memory.stat',
      swapLimit,
      kills,
      'memory.swap.current',
      'memory.pressure',
    ];
    for (const name of names) files.note(`${dir}/${name}`);
    if (!files.entries.has(`${dir}/${usage}`)) throw new BadnessError('EDOMAIN', `cgroup ${dir} is gone`);
    return cgroupMembers(dir)
      .pids.filter((pid) => pid > 0 && pid !== this.#options.except)
      .sort((a, b) => a - b);
  }

  /** Beside what was read of each task: its program, its arguments, its cgroups, and what the kernel thinks of it. */
  #notePrograms(files: TappedFiles): void {
    const engine = this.#engine;
    for (let slot = 0; slot < engine.count; ++slot) {
      if ((engine.u32(L.C_FLAGS, slot) & L.TASK_KTHREAD) !== 0) continue;
      const folder = `/proc/${engine.u32(L.C_ID, slot)}`;
      files.note(`${folder}/oom_score`);
      const isSame = programOf(files.entries.get(`${folder}/stat`)) === programOf(this.#before.get(`${folder}/stat`));
      for (const [name, how] of PROGRAM_FILES) {
        const path = `${folder}/${name}`;
        const known = isSame ? this.#before.get(path) : undefined;
        if (known) files.entries.set(path, known);
        else files.note(path, how);
      }
      files.note(folder, 'owner');
    }
  }
}
