/**
 * Stage: bytes of /proc. What a recording keeps of files that say much more: the lines that are read here, in their order, so that the
 * rest neither fills it nor tells what nobody asked for.
 */

const STATUS =
  /^(?:Name|State|Tgid|PPid|Uid|VmSize|VmRSS|RssAnon|RssFile|RssShmem|VmSwap|VmPTE|VmPMD|Threads|CapEff|Mems_allowed_list):/;
const STAT = /^(?:cpu |btime |processes |procs_)/;
const VMSTAT =
  /^(?:oom_kill|pgmajfault|pswpin|pswpout|allocstall_\w+|workingset_refault_\w+|pgscan_(?:kswapd|direct)|pgsteal_(?:kswapd|direct)) /;
const ZONEINFO = /^ +count: /;

function lines(text: string, kept: RegExp): string {
  const chosen = text.split('\n').filter((line) => kept.test(line));
  return chosen.length > 0 ? `${chosen.join('\n')}\n` : '';
}

/** The part of a file that is recorded. What is left out is in docs/recordings.md. */
export function keptLines(path: string, text: string): string {
  if (path.endsWith('/status')) return lines(text, STATUS);
  if (path === '/proc/stat') return lines(text, STAT);
  if (path === '/proc/vmstat') return lines(text, VMSTAT);
  return path === '/proc/zoneinfo' ? lines(text, ZONEINFO) : text;
}
