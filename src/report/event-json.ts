/** Stage: report. One event as a plain object: what the log says, what a second ranking says, and what cannot be known. */
import type { RankedTask } from '../index.js';
import { constraintOf, type OomEvent, reportOf, rowOf, victimOf } from './event.js';
import type { Usage } from './memory.js';
import { notesOf } from './notes.js';
import type { PolicyChoice } from './policy-choice.js';
import type { Reranking, SchemeChoice } from './rerank.js';
import { freedBy } from './sizes.js';

/** One event as JSON, keys in snake_case. */
export type EventJson = Record<string, unknown>;

const SCHEMA_VERSION = 1;
/**
 * Keys of a task record that a report can fill, and the columns that they are read from; null where it needs none. What
 * a table does not have is left out rather than written as 0. The records can be ranked again (`rank --tasks`).
 */
const KEYS: readonly [json: string, key: keyof RankedTask, columns: readonly string[] | null][] = [
  ['rank', 'rank', null],
  ['tgid', 'tgid', null],
  ['comm', 'comm', null],
  ['uid', 'uid', null],
  ['points', 'points', null],
  ['eligible', 'eligible', null],
  ['reason', 'reason', null],
  ['oom_score', 'oomScore', null],
  ['total_vm_pages', 'totalVmPages', null],
  ['rss_pages', 'rssPages', null],
  ['rss_anon_pages', 'rssAnonPages', ['rss_anon']],
  ['rss_shmem_pages', 'rssShmemPages', ['rss_shmem']],
  ['swap_pages', 'swapPages', ['swapents']],
  ['pgtables_bytes', 'pgtablesBytes', ['pgtables_bytes', 'nr_ptes']],
  ['oom_score_adj', 'oomScoreAdj', ['oom_score_adj']],
  ['oom_adj', 'oomAdj', ['oom_adj']],
];

function rankedRecord(task: RankedTask, columns: readonly string[]): EventJson {
  const known = KEYS.filter(([, , from]) => from === null || from.some((column) => columns.includes(column)));
  return Object.fromEntries(known.map(([json, key]) => [json, task[key]]));
}

function usageJson(usage: Usage | null) {
  return usage && { usage_kb: usage.usageKb, limit_kb: usage.limitKb, failcnt: usage.failcnt };
}

function memoryJson({ memory, cgroup }: OomEvent): EventJson {
  const { ramPages, reservedPages, totalSwapKb, freeSwapKb, counters, zones } = memory;
  const ofCgroup = cgroup.memory !== null || cgroup.path !== null;
  return {
    memory: {
      ram_pages: ramPages,
      reserved_pages: reservedPages,
      total_swap_kb: totalSwapKb,
      free_swap_kb: freeSwapKb,
      pages: counters,
      zones: zones.map(({ name, freeKb, minKb }) => ({ name, free_kb: freeKb, min_kb: minKb })),
    },
    memcg: ofCgroup
      ? {
          path: cgroup.path,
          memory: usageJson(cgroup.memory),
          memory_swap: usageJson(cgroup.memorySwap),
          swap: usageJson(cgroup.swap),
          kmem: usageJson(cgroup.kmem),
          stats: cgroup.stats,
        }
      : null,
  };
}

function invokerJson({ invoker }: OomEvent) {
  return (
    invoker && {
      comm: invoker.comm,
      pid: invoker.pid,
      gfp_mask: invoker.gfpMask,
      gfp_flags: invoker.gfpFlags,
      order: invoker.order,
      nodemask: invoker.nodemask,
      oom_adj: invoker.oomAdj,
      oom_score_adj: invoker.oomScoreAdj,
    }
  );
}

function shortageJson(event: OomEvent): EventJson {
  const { context, limit, killed, selected } = event;
  return {
    message: killed?.message ?? selected?.message ?? null,
    constraint: constraintOf(event),
    global_oom: context?.global ?? null,
    nodemask: context?.nodemask ?? null,
    cpuset: context?.cpuset ?? null,
    mems_allowed: context?.memsAllowed ?? null,
    oom_memcg: context?.oomMemcg ?? limit?.oomMemcg ?? null,
    task_memcg: context?.taskMemcg ?? limit?.taskMemcg ?? null,
  };
}

function victimJson(event: OomEvent, { pageTables }: Reranking): EventJson | null {
  const victim = victimOf(event);
  if (!victim) return null;
  const { killed, context } = event;
  const row = rowOf(event, victim.pid);
  const named = context?.task?.pid === victim.pid ? context.task : null;
  return {
    pid: victim.pid,
    comm: victim.comm,
    tgid: row?.tgid ?? null,
    uid: killed?.uid ?? named?.uid ?? row?.uid ?? null,
    oom_score_adj: killed?.oomScoreAdj ?? row?.oomScoreAdj ?? null,
    total_vm_kb: killed?.totalVmKb ?? null,
    anon_rss_kb: killed?.anonRssKb ?? null,
    file_rss_kb: killed?.fileRssKb ?? null,
    shmem_rss_kb: killed?.shmemRssKb ?? null,
    pgtables_kb: pageTables?.kb ?? null,
    pgtables_unit: pageTables?.unit ?? null,
  };
}

function killsJson(event: OomEvent, reranking: Reranking): EventJson {
  const { selected, alsoKilled, oomGroup, reaped, unreaped, alreadyExiting, noVictim, panic } = event;
  const { givesBackKb, from, reapedKb } = freedBy(event, reranking.page.pageSize, reranking.pageTables);
  return {
    selected: selected && { pid: selected.pid, comm: selected.comm, score: selected.score },
    kernel_victim: victimJson(event, reranking),
    gives_back_kb: givesBackKb,
    gives_back_from: from,
    reaped_kb: reapedKb,
    also_killed: alsoKilled,
    oom_group: oomGroup,
    reaped: reaped.map(({ pid, comm, anonRssKb, fileRssKb, shmemRssKb }) => {
      return { pid, comm, anon_rss_kb: anonRssKb, file_rss_kb: fileRssKb, shmem_rss_kb: shmemRssKb };
    }),
    unreaped,
    already_exiting: alreadyExiting !== null,
    no_victim: noVictim !== null,
    panic,
  };
}

function choiceJson({ scheme, outcome, victim, same, missing }: SchemeChoice) {
  return {
    scheme,
    outcome,
    victim: victim && { tgid: victim.tgid, comm: victim.comm, points: victim.points },
    gives_back_pages: victim?.chargePages ?? null,
    same,
    missing,
  };
}

function rankingJson(event: OomEvent, reranking: Reranking): EventJson {
  const { era, page, totalPages, scheme, ranking, ineligible, same, doubts, schemes } = reranking;
  const columns = event.header?.columns ?? [];
  return {
    kernel: { release: era.release, from: era.from, to: era.to, evidence: era.evidence },
    kernel_scheme: scheme,
    kernel_scheme_sure: era.sure,
    kernel_scheme_why: era.why,
    kernel_scheme_candidates: era.candidates,
    page_size: page.pageSize,
    page_size_from: page.from,
    total_pages: totalPages,
    tasks: event.rows.length,
    columns,
    same,
    doubts,
    ranking: [...(ranking?.ranked ?? []), ...ineligible].map((task) => rankedRecord(task, columns)),
    schemes: schemes.map(choiceJson),
  };
}

function policyJson(choice: PolicyChoice): EventJson {
  const { victim, kernels, missing, unknown, settled } = choice;
  return {
    file: choice.file,
    domain: choice.domain,
    scheme: choice.scheme,
    plugin: choice.plugin,
    outcome: choice.outcome,
    victim: victim && { pid: victim.tgid, comm: victim.comm },
    points: victim?.points ?? null,
    gives_back_pages: victim?.chargePages ?? null,
    rules: victim?.rules ?? [],
    same: choice.same,
    kernel_victim: kernels && { points: kernels.points, reason: kernels.reason, rules: kernels.rules ?? [] },
    missing,
    unknown,
    settled,
  };
}

/**
 * The object of an event. Kernel spellings; what the log does not say is null, never 0. `choices`: those of policies, for key `policies`,
 * which is absent without them.
 */
export function eventToJson(event: OomEvent, reranking: Reranking, choices?: readonly PolicyChoice[]): EventJson {
  const { firstLine, lastLine, linesRead, linesLost, rowsRefused } = event;
  const other = Math.max(lastLine - firstLine + 1 - linesRead, 0);
  return {
    schema: SCHEMA_VERSION,
    report: reportOf(event),
    time: event.stamp,
    uptime_s: event.uptimeS,
    lines: { first: firstLine, last: lastLine, read: linesRead, other, lost: linesLost, rows_refused: rowsRefused },
    suppressed_before: event.suppressedBefore,
    invoker: invokerJson(event),
    ...shortageJson(event),
    ...memoryJson(event),
    ...killsJson(event, reranking),
    ...rankingJson(event, reranking),
    ...(choices ? { policies: choices.map(policyJson) } : {}),
    notes: notesOf(event, reranking),
  };
}
