/**
 * Stage: bytes → table. One task in full: stat, status and oom_score_adj of /proc/PID go through the engine's parsers
 * into its staged cells.
 */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import { integerInText, isForbidden, isGone, type ProcFiles, type ProcPlace, readWithoutGroups } from './proc-files.js';
import { isInVfork, type SleepingParents } from './vfork.js';

/** Outcome of staging a task: it can be put, it vanished meanwhile, or it may not be read by this user. */
export type Staged = 'staged' | 'gone' | 'unreadable';

const ZOMBIE = 'Z'.charCodeAt(0);

/** Stages the task `pid` of a place. `parents` is for one reading. */
export function stageTask(engine: Engine, place: ProcPlace, pid: string, parents?: SleepingParents): Staged {
  try {
    return stageFiles(engine, place, pid, parents);
  } catch (error) {
    if (isGone(error)) return 'gone';
    if (isForbidden(error)) return 'unreadable';
    throw error;
  }
}

function stageFiles(engine: Engine, place: ProcPlace, pid: string, parents?: SleepingParents): Staged {
  const { abi, fields, window: w } = engine;
  const { files, root, hz } = place;
  const folder = `${root}/${pid}`;
  fields.fill(0);
  if (abi.stat_parse(w, files.readInto(engine, `${folder}/stat`), hz) < 0) return 'gone';
  let flags = L.TASK_STAT_RSS;
  const statRss = fields[L.FIELD_STAT_RSS_PAGES]!;
  // stat's rss only stands in where status is not to be had.
  fields[L.FIELD_RSS_PAGES] = 0;
  // No memory, no choice: nothing else about a kernel thread matters, and there may be hundreds of them.
  if ((fields[L.FIELD_PF_FLAGS]! & L.PF_KTHREAD) !== 0) {
    fields[L.FIELD_FLAGS] = L.TASK_KTHREAD | L.TASK_NO_MM;
    return 'staged';
  }
  const mm = stageStatus(engine, place, folder);
  if (!mm && fields[L.FIELD_STATE] === ZOMBIE && fields[L.FIELD_THREADS]! > 1) {
    stageLiveThread(engine, place, folder);
  } else {
    fields[L.FIELD_STAT_RSS_PAGES] = statRss;
    if (mm) flags |= L.TASK_HAS_MM;
    if (mm && isInVfork(engine, place, parents)) flags |= L.TASK_VFORK;
  }
  stageAdj(engine, files, folder);
  fields[L.FIELD_FLAGS] = flags;
  return 'staged';
}

/** Stages status, or what statm and the owner of the folder tell when it is not readable. True when there is an mm. */
function stageStatus(engine: Engine, { files, pageSize }: ProcPlace, folder: string): boolean {
  const { abi, fields, window: w } = engine;
  try {
    let length = files.readInto(engine, `${folder}/status`);
    if (length === L.TEXT_BYTES) length = readWithoutGroups(engine, files, `${folder}/status`);
    const seen = abi.status_parse(w, length, pageSize);
    if (seen >= 0) return (seen & L.STATUS_HAS_MM) !== 0;
  } catch (error) {
    if (!isForbidden(error)) throw error;
  }
  abi.statm_parse(w, files.readInto(engine, `${folder}/statm`));
  const uid = files.owner(folder);
  fields[L.FIELD_UID] = uid;
  fields[L.FIELD_EUID] = uid;
  return fields[L.FIELD_TOTAL_VM_PAGES]! > 0;
}

/** A leader that has exited shows no memory although its threads hold it: one that still runs shows it. */
function stageLiveThread(engine: Engine, place: ProcPlace, folder: string): void {
  const { files, hz } = place;
  const { fields, bytes, window: w } = engine;
  const leader = fields.slice();
  const comm = bytes.slice(w + L.W_COMM, w + L.W_COMM + L.COMM_BYTES);
  for (const tid of files.list(`${folder}/task`)) {
    try {
      const thread = `${folder}/task/${tid}`;
      if (engine.abi.stat_parse(w, files.readInto(engine, `${thread}/stat`), hz) < 0) continue;
      const statRss = fields[L.FIELD_STAT_RSS_PAGES]!;
      if (!stageStatus(engine, place, thread)) continue;
      leader.set(fields.subarray(L.FIELD_TOTAL_VM_PAGES, L.FIELD_PGTABLES_BYTES + 1), L.FIELD_TOTAL_VM_PAGES);
      leader[L.FIELD_STAT_RSS_PAGES] = statRss;
      // The leader's own PF_EXITING must not hide what its threads still hold.
      leader[L.FIELD_PF_FLAGS] = fields[L.FIELD_PF_FLAGS]!;
      break;
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  fields.set(leader);
  bytes.set(comm, w + L.W_COMM);
}

function stageAdj(engine: Engine, files: ProcFiles, folder: string): void {
  const { fields } = engine;
  fields[L.FIELD_OOM_SCORE_ADJ] = 0;
  try {
    const adj = integerInText(engine, files.readInto(engine, `${folder}/oom_score_adj`));
    if (adj >= L.ADJ_MIN && adj <= L.ADJ_MAX) fields[L.FIELD_OOM_SCORE_ADJ] = adj;
  } catch (error) {
    if (!isForbidden(error) && !isGone(error)) throw error;
  }
}
