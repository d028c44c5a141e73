// Stage: bytes → table. In: the text of /proc/PID/statm in the window. Out: total_vm and rss, staged.

import { FIELD_RSS_PAGES, FIELD_TOTAL_VM_PAGES, OK, W_TEXT } from '../layout';
import { field_read, text_end } from './text';

/**
 * Stages total_vm and rss, in pages, from the text of /proc/PID/statm (proc_pid_statm(), any Linux):
 *
 *     269271 14320 9811 1 0 31984 0
 *
 * Returns OK, E_SHORT or E_FORMAT; on an error the two cells mean nothing.
 */
export function statm_parse(w: u32, length: u32): i32 {
  const end = text_end(w, length);
  const p = field_read(w, FIELD_TOTAL_VM_PAGES, w + W_TEXT, end, 1, 1);
  return p < 0 ? p : min<i32>(field_read(w, FIELD_RSS_PAGES, p + 1, end, 1, 1), OK);
}
