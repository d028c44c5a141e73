/** Drives one engine through its numeric ABI in the vocabulary of the tests: records in, points and terms out. */
import * as L from '../../../assembly/layout.js';
import type { Inputs } from '../../reference/badness.js';
import type { Parameters, Table, TaskRecord } from '../../reference/table.js';
import { type OpenedBuild, windowAt } from './builds.js';

export interface EngineTerms {
  points: bigint;
  cpu_units: bigint;
  cpu_div: bigint;
  run_units: bigint;
  run_div: bigint;
  discount: bigint;
  oom_score: bigint;
  ineligible: number;
}

/** The cells of a record, by field; what a record leaves out is 0. */
function cellsOf(task: TaskRecord): Map<number, number> {
  const caps = BigInt(`0x${task.cap_eff ?? '0'}`);
  let flags = task.flags ?? 0;
  if (task.kthread === true) flags |= L.TASK_KTHREAD;
  if (task.has_mm === true) flags |= L.TASK_HAS_MM;
  if (task.has_mm === false) flags |= L.TASK_NO_MM;
  return new Map([
    [L.FIELD_KIND, L.KIND_PROCESS],
    [L.FIELD_TGID, task.tgid],
    [L.FIELD_PPID, task.ppid ?? 0],
    [L.FIELD_SID, task.sid ?? 0],
    [L.FIELD_STATE, 'S'.charCodeAt(0)],
    [L.FIELD_THREADS, 1],
    [L.FIELD_TOTAL_VM_PAGES, task.total_vm_pages ?? 0],
    [L.FIELD_RSS_PAGES, task.rss_pages ?? 0],
    [L.FIELD_SWAP_PAGES, task.swap_pages ?? 0],
    [L.FIELD_PGTABLES_BYTES, task.pgtables_bytes ?? 0],
    [L.FIELD_UTIME_JIFFIES, task.utime_jiffies ?? 0],
    [L.FIELD_STIME_JIFFIES, task.stime_jiffies ?? 0],
    [L.FIELD_START_TIME_TICKS, task.start_time_ticks ?? 0],
    [L.FIELD_NICE, task.nice ?? 0],
    [L.FIELD_UID, task.uid ?? 0],
    [L.FIELD_EUID, task.euid ?? 0],
    [L.FIELD_CAP_LO, Number(caps & 0xffffffffn)],
    [L.FIELD_CAP_HI, Number(caps >> 32n)],
    [L.FIELD_OOM_SCORE_ADJ, task.oom_score_adj ?? 0],
    [L.FIELD_OOM_ADJ, task.oom_adj ?? 0],
    [L.FIELD_FLAGS, flags],
  ]);
}

export class Driver {
  private readonly view: DataView;
  private readonly window: number;
  private readonly capacity: number;

  constructor(
    readonly build: OpenedBuild,
    thread = 0,
  ) {
    this.view = new DataView(build.memory.buffer);
    this.window = windowAt(thread);
    this.capacity = this.view.getUint32(L.H_CAPACITY, true);
  }

  private call(name: string, ...args: number[]): number {
    const answer = this.build.abi[name];
    if (answer === undefined) throw new Error(`the engine has no ${name}`);
    return answer(...args);
  }

  begin(hz: number, pageSize: number, uptimeTicks: number): number {
    return this.call('table_begin', hz, pageSize, uptimeTicks);
  }

  /** Writes every cell of the staged task. */
  stage(task: TaskRecord): void {
    for (let field = 0; field < L.FIELDS; field++) this.cell(field, 0);
    for (const [field, value] of cellsOf(task)) this.cell(field, value);
    const comm = new Uint8Array(this.build.memory.buffer, this.window + L.W_COMM, L.COMM_BYTES);
    comm.fill(0);
    comm.set(new TextEncoder().encode(task.comm ?? '').subarray(0, L.COMM_BYTES - 1));
  }

  /** Overwrites one cell of the staged task, with a value that no record could hold if need be. */
  cell(field: number, value: number): void {
    this.view.setFloat64(this.window + L.W_FIELDS + field * L.FIELD_BYTES, value, true);
  }

  put(): number {
    return this.call('table_put', this.window);
  }

  errorField(): number {
    return this.view.getUint32(this.window + L.W_ERROR_FIELD, true);
  }

  publish(): number {
    return this.call('table_publish');
  }

  /** Stages, puts and publishes a whole table; slots are its indices. Domains beyond the system by `mask`. */
  load(table: Table, mask: (slot: number) => number = () => 0): void {
    const begun = this.begin(table.hz, table.page_size, table.uptime_ticks);
    if (begun < 0) throw new Error(`table_begin answered ${begun}`);
    for (const [index, task] of table.tasks.entries()) {
      this.stage(task);
      this.cell(L.FIELD_DOMAIN_MASK, mask(index));
      const slot = this.put();
      if (slot !== index) throw new Error(`table_put of task ${index} answered ${slot}, field ${this.errorField()}`);
    }
    const published = this.publish();
    if (published < 0) throw new Error(`table_publish answered ${published}`);
  }

  private parameters(p: Parameters, domain: number): void {
    const w = this.window;
    this.view.setFloat64(w + L.P_MAX_DISCOUNT, p.max_discount, true);
    this.view.setUint32(w + L.P_AGE, p.age, true);
    this.view.setUint32(w + L.P_ADJ, p.adj, true);
    this.view.setFloat64(w + L.P_TOTAL_PAGES, p.total_pages, true);
    this.view.setUint32(w + L.P_ROOT, p.root, true);
    this.view.setUint32(w + L.P_DOMAIN, domain, true);
  }

  /** Scores the current snapshot: how many are eligible. */
  score(scheme: number, parameters: Parameters, domain = 0): number {
    this.parameters(parameters, domain);
    return this.call('score', this.window, scheme);
  }

  private get snapshotBytes(): number {
    return L.SNAPSHOT_HEADER_BYTES + L.COLUMNS_BYTES * this.capacity;
  }

  /** Points of a slot as score left them; null = not eligible. */
  points(slot: number): bigint | null {
    const snapshot = L.TASKS + this.view.getUint32(L.H_CURRENT, true) * this.snapshotBytes;
    const at = snapshot + L.SNAPSHOT_HEADER_BYTES + L.C_POINTS * this.capacity + slot * 8;
    const value = this.view.getFloat64(at, true);
    return Number.isNaN(value) ? null : BigInt(value);
  }

  select(scheme: number): number {
    return this.call('select', this.window, scheme);
  }

  /** Slots of the `limit` worst, worst first. */
  rank(scheme: number, limit: number): number[] {
    const n = this.call('rank', scheme, limit);
    if (n < 0) throw new Error(`rank answered ${n}`);
    const order = L.TASKS + 2 * this.snapshotBytes + L.X_ORDER * this.capacity;
    return Array.from({ length: n }, (_, i) => this.view.getUint32(order + i * 4, true));
  }

  explain(slot: number, scheme: number): EngineTerms {
    const answer = this.call('explain', this.window, slot, scheme);
    if (answer < 0) throw new Error(`explain answered ${answer}`);
    return this.terms(scheme);
  }

  /** The exact form of the formula, on 32- or 64-bit words. */
  scalar(scheme: number, x: Inputs): EngineTerms {
    const at = this.window + L.W_INPUTS;
    const word = (offset: number, value: bigint) => this.view.setBigUint64(at + offset, value, true);
    word(L.IN_TOTAL_VM, x.total_vm);
    word(L.IN_CHILDREN_VM, x.children_vm);
    word(L.IN_CHARGE, x.charge);
    word(L.IN_UTIME, x.utime);
    word(L.IN_STIME, x.stime);
    word(L.IN_UPTIME, x.uptime);
    word(L.IN_START, x.start);
    word(L.IN_TOTAL_PAGES, x.total_pages);
    word(L.IN_MAX_DISCOUNT, x.max_discount);
    this.view.setUint32(at + L.IN_FLAGS, x.flags, true);
    this.view.setInt32(at + L.IN_OOM_ADJ, x.oom_adj, true);
    this.view.setInt32(at + L.IN_OOM_SCORE_ADJ, x.oom_score_adj, true);
    this.view.setUint32(at + L.IN_HZ, x.hz, true);
    this.view.setUint32(at + L.IN_BITS, x.bits, true);
    this.view.setUint32(at + L.IN_AGE, x.age, true);
    this.view.setUint32(at + L.IN_ADJ, x.adj, true);
    const answer = this.call('points_scalar', this.window, scheme);
    if (answer < 0) throw new Error(`points_scalar answered ${answer}`);
    return this.terms(scheme);
  }

  private terms(scheme: number): EngineTerms {
    const at = this.window + L.W_TERMS;
    const unsigned = (offset: number) => this.view.getBigUint64(at + offset, true);
    const signed = (offset: number) => this.view.getBigInt64(at + offset, true);
    return {
      points: scheme <= L.SCHEME_LINUX_2_6_32 ? unsigned(L.TERM_POINTS) : signed(L.TERM_POINTS),
      cpu_units: unsigned(L.TERM_CPU_UNITS),
      cpu_div: unsigned(L.TERM_CPU_DIV),
      run_units: unsigned(L.TERM_RUN_UNITS),
      run_div: unsigned(L.TERM_RUN_DIV),
      discount: unsigned(L.TERM_DISCOUNT),
      oom_score: scheme <= L.SCHEME_LINUX_2_6_32 ? unsigned(L.TERM_OOM_SCORE) : signed(L.TERM_OOM_SCORE),
      ineligible: this.view.getUint32(at + L.TERM_INELIGIBLE, true),
    };
  }
}
