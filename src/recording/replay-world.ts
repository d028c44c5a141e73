/** Stage: table → selection, of a recording. What the rounds of a guard need of it; nobody in it can be killed. */
import * as L from '../../assembly/layout.js';
import { Others } from '../guard/others.js';
import type { MemoryReading } from '../guard/round-report.js';
import type { Choice, Held, World } from '../guard/world.js';
import { FILES } from '../proc/cgroup-memory.js';
import { perCpuPagesAt } from '../proc/machine.js';
import { slotOf } from '../rows.js';
import type { TimeKeeper } from '../simulate/virtual-time.js';
import type { Machine } from '../task.js';
import type { RecordedChooser } from './choose.js';
import type { RecordedFiles } from './recorded-files.js';
import { domainName } from './recording.js';

/** Where a domain of each kind counts the victims of the kernel. */
function oomKillFile(files: RecordedFiles): string {
  const { domain } = files.recording.facts;
  if (domain.kind !== 'memcg') return '/proc/vmstat';
  return `${domain.dir}/${FILES[domain.version].kills}`;
}

function oomKillsIn(files: RecordedFiles): number | null {
  const path = oomKillFile(files);
  const count = files.exists(path) ? /^oom_kill (\d{1,15})$/m.exec(files.text(path))?.[1] : undefined;
  return count === undefined ? null : Number(count);
}

export class RecordedWorld implements World {
  readonly name: string;
  readonly pageSize: number;
  readonly #chooser: RecordedChooser;
  readonly #files: RecordedFiles;
  readonly #time: TimeKeeper;
  readonly #others: Others;
  #machine: Machine | null = null;

  constructor(chooser: RecordedChooser, files: RecordedFiles, time: TimeKeeper) {
    this.name = domainName(files.recording);
    this.pageSize = files.recording.facts.pageSize;
    this.#chooser = chooser;
    this.#files = files;
    this.#time = time;
    this.#others = new Others(chooser.engine, { oomKills: () => oomKillsIn(files) });
  }

  /** The machine of the last choice; null before the first. */
  get machine(): Machine | null {
    return this.#machine;
  }

  nowMs(): number {
    return this.#time.nowMs;
  }

  measure(): MemoryReading {
    const { availableKib, totalKib, swapTotalKib } = this.#chooser.memory.read();
    const isSystem = this.#files.recording.facts.domain.kind === 'system';
    return {
      availableBytes: availableKib * 1024,
      perCpuBytes: isSystem ? perCpuPagesAt(this.#files, '/proc') * this.pageSize : 0,
      totalBytes: (totalKib + swapTotalKib) * 1024,
    };
  }

  pressureBegins(): void {
    this.#others.pressureBegins();
  }

  shortageEnds(): void {
    this.#others.shortageEnds();
  }

  choose(): Choice {
    const { reading, ...choice } = this.#chooser.choose();
    this.#machine = reading.machine;
    if (choice.slot < 0 || !this.#others.areKilling(this.measure().availableBytes, this.nowMs())) return choice;
    return { ...choice, outcome: 'in-flight', slot: L.E_IN_FLIGHT };
  }

  rowOf(tgid: number): number {
    return slotOf(this.#chooser.engine, tgid);
  }

  hold(slot: number): Held {
    return { pid: this.#chooser.engine.u32(L.C_ID, slot), close() {} };
  }

  holdQueued(): null {
    return null;
  }

  kill(): Promise<never> {
    throw new TypeError('nobody can be killed in a recording');
  }

  setAside(): void {}

  close(): void {}
}
