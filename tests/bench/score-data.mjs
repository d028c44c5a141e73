// The tasks of the scoring bench, the same for every contestant: a fixed distribution from a fixed seed. They enter
// the engine as any caller's do (table_put) and the columns that it made of them are what the C contestants get.
import { writeFileSync } from 'node:fs';
import { uniform } from './uniform.mjs';

const SEED = 2610;
const HZ = 1000;
/** SHIFT_HZ of a kernel at 1000 Hz. */
const HZ_SHIFT = 10;
const PAGE_SIZE = 4096;
const DAY_S = 86_400;
const UPTIME_S = 30 * DAY_S;

export const DISTRIBUTION =
  `seed ${SEED}; total_vm log-uniform 1 MiB … 16 GiB, 2 % without memory; rss a square-law share of it; ` +
  'CPU time log-uniform 1 ms … 10,000 s, 30 % of it system time; started uniformly over 30 days of uptime, listed in ' +
  'order of creation; 5 % niced, 30 % root, a third of those with CAP_SYS_RAWIO';

/** Fills a new snapshot with `count` tasks. */
export function fill(engine, L, count) {
  const { abi, fields, window: w } = engine;
  const random = uniform(SEED);
  if (abi.table_begin(HZ, PAGE_SIZE, UPTIME_S * L.USER_HZ) < 0) throw new Error('table_begin refused');
  fields.fill(0);
  for (let index = 0; index < count; ++index) {
    const total = random() < 0.02 ? 0 : Math.floor(256 * 2 ** (random() * 14));
    const jiffies = Math.floor(10 ** (random() * 7));
    const root = random() < 0.3;
    const rawio = root && random() < 1 / 3;
    fields[L.FIELD_TGID] = 2 + index;
    fields[L.FIELD_TOTAL_VM_PAGES] = total;
    fields[L.FIELD_RSS_PAGES] = Math.floor(total * random() ** 2);
    fields[L.FIELD_PGTABLES_BYTES] = Math.ceil(total / 512) * PAGE_SIZE;
    fields[L.FIELD_UTIME_JIFFIES] = Math.floor(jiffies * 0.7);
    fields[L.FIELD_STIME_JIFFIES] = jiffies - Math.floor(jiffies * 0.7);
    fields[L.FIELD_START_TIME_TICKS] = Math.floor(((index + random()) / count) * UPTIME_S * L.USER_HZ);
    fields[L.FIELD_NICE] = random() < 0.05 ? 10 : 0;
    fields[L.FIELD_UID] = root ? 0 : 1000;
    fields[L.FIELD_EUID] = fields[L.FIELD_UID];
    fields[L.FIELD_CAP_LO] = rawio ? 1 << L.CAP_SYS_RAWIO_BIT : 0;
    fields[L.FIELD_DOMAIN_MASK] = 1;
    if (abi.table_put(w) !== index) throw new Error(`table_put refused task ${index}`);
  }
  abi.table_publish();
}

/** Views of the columns of the current snapshot. */
export function columns(engine, L) {
  const { buffer } = engine.memory;
  const { count } = engine;
  const wide = (column) => new Float64Array(buffer, engine.cell(column, 0, 8), count);
  return {
    totalVm: wide(L.C_TOTAL_VM),
    utime: wide(L.C_UTIME),
    stime: wide(L.C_STIME),
    cpuDiv: new Float32Array(buffer, engine.cell(L.C_CPU_DIV, 0, 4), count),
    factor: wide(L.C_FACTOR),
    points: wide(L.C_POINTS),
    startS: new Int32Array(buffer, engine.cell(L.C_START_S, 0, 4), count),
    flags: new Uint32Array(buffer, engine.cell(L.C_FLAGS, 0, 4), count),
    nices: new Int32Array(buffer, engine.cell(L.C_NICE, 0, 4), count),
  };
}

/** The flags that scheme linux-2.6.10 heeds, as assembly/schemes.ts has them. */
export function classicFlags(L) {
  return {
    scoreless: L.TASK_NO_MM | L.TASK_MEMDIE,
    root: L.TASK_CAP_ADMIN | L.TASK_ROOT_UID,
    rawio: L.TASK_CAP_RAWIO,
    origin: L.TASK_ORIGIN,
    uptimeS: UPTIME_S,
  };
}

/** Writes what score.c reads: its header, then the columns, the prepared ones as the engine prepared them. */
export function writeFor(path, engine, L) {
  const { scoreless, root, rawio, origin } = classicFlags(L);
  const header = new Uint32Array(16);
  header.set([engine.count, HZ_SHIFT, UPTIME_S, scoreless, root, rawio, origin]);
  engine.view.setFloat64(engine.window + L.P_MAX_DISCOUNT, 4, true);
  if (engine.abi.score(engine.window, L.SCHEME_LINUX_2_6_10) < 0) throw new Error('score refused');
  const c = columns(engine, L);
  const parts = [header, c.totalVm, c.utime, c.stime, c.cpuDiv, c.factor, c.startS, c.flags, c.nices];
  writeFileSync(path, Buffer.concat(parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength))));
}
