// A scheme of your own for badness: whoever holds most goes first, except that what a task shares with others counts half, and databases
// count a quarter. Build it with `node examples/scheme-assemblyscript/build.mjs`, try it with `badness rank --scheme ./scheme.wasm`.
import {
  ABI_VERSION,
  COMM,
  HEADER_BYTES,
  PAGE_SIZE,
  PGTABLES_BYTES,
  POINTS,
  RSS_ANON_PAGES,
  RSS_PAGES,
  SWAP_PAGES,
  TASK_BYTES,
} from './layout';

/** Which version of the layout this was written for. */
export function abi_version(): i32 {
  return ABI_VERSION;
}

let region: usize = 0;
let room: i32 = 0;

/** Room for the region of so many tasks: its address, or 0. The same place again as long as it is large enough. */
export function reserve(tasks: i32): usize {
  if (tasks <= room) return region;
  const bytes = HEADER_BYTES + <usize>tasks * TASK_BYTES;
  // What was reserved before is let go of: memory has an end, and the region of one question is not needed for the next.
  const first = <usize>((<usize>__heap_base + 7) & ~7);
  const pages = <i32>((first + bytes + 0xffff) >>> 16);
  if (pages > memory.size() && memory.grow(pages - memory.size()) < 0) return 0;
  region = first;
  room = tasks;
  return region;
}

/** A cell of a column of eight bytes. */
function cell(column: usize, tasks: i32, task: i32): usize {
  return region + HEADER_BYTES + column * <usize>tasks + ((<usize>task) << 3);
}

/** "post", the first four letters of "postgres", as one number. */
const POST: u32 = 0x74736f70;

function is_database(tasks: i32, task: i32): bool {
  return load<u32>(region + HEADER_BYTES + COMM * <usize>tasks + ((<usize>task) << 4)) == POST;
}

/** Writes the points of every task. 0 says that it did. */
export function score_batch(tasks: i32): i32 {
  const page_size = load<f64>(region + PAGE_SIZE);
  for (let task = 0; task < tasks; ++task) {
    const own = load<f64>(cell(RSS_ANON_PAGES, tasks, task)) + load<f64>(cell(SWAP_PAGES, tasks, task));
    const shared = load<f64>(cell(RSS_PAGES, tasks, task)) - load<f64>(cell(RSS_ANON_PAGES, tasks, task));
    const tables = load<f64>(cell(PGTABLES_BYTES, tasks, task)) / page_size;
    const points = own + shared / 2 + tables;
    store<f64>(cell(POINTS, tasks, task), is_database(tasks, task) ? points / 4 : points);
  }
  return 0;
}
