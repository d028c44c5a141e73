/** Stage: bytes of /proc → table, for a page. A recording: each snapshot is a moment, read as a live /proc would be. */
import type { RankedTask, Task } from '../index.js';
import {
  loadRecorded,
  momentsOf,
  parseRecording,
  RecordedFiles,
  RecordedMemory,
  type Recording,
  recordedTexts,
  tasksRecorded,
} from '../recording/index.js';
import type { EngineRoom } from './sources.js';
import type { Fact, MemoryTrack, Moment, Story } from './story.js';
import { tasksInTable } from './table-tasks.js';

/** Reasons that task records cannot say: who is in the table for one of them is left out of it. */
const ASIDE = ['self', 'protected', 'outside'] as const;

/** Snapshots that the plot looks at, at most. */
const PLOTTED_MAX = 1000;

function readTrack(files: RecordedFiles, timesS: readonly number[]): MemoryTrack | null {
  const memory = new RecordedMemory(files);
  const step = Math.ceil(timesS.length / PLOTTED_MAX);
  const at = timesS.map((_, index) => index).filter((index) => index % step === 0);
  try {
    const states = at.map((index) => {
      files.moveTo(index);
      return memory.read();
    });
    return {
      timesS: at.map((index) => timesS[index]!),
      memoryBytes: states.map(({ totalKib, availableKib }) => (totalKib - availableKib) * 1024),
      swapBytes: states.map(({ swapTotalKib, swapFreeKib }) => (swapTotalKib - swapFreeKib) * 1024),
      memoryTotalBytes: Math.max(...states.map(({ totalKib }) => totalKib)) * 1024,
      swapTotalBytes: Math.max(...states.map(({ swapTotalKib }) => swapTotalKib)) * 1024,
    };
  } catch {
    // It was recorded without memory: there is no plot of it, and all the rest stands.
    return null;
  }
}

function totalPagesOf(files: RecordedFiles, pageSize: number): number | null {
  try {
    const { totalKib, swapTotalKib } = new RecordedMemory(files).read();
    return Math.floor(((totalKib + swapTotalKib) * 1024) / pageSize);
  } catch {
    return null;
  }
}

function factsOf({ facts }: Recording, files: RecordedFiles, left: readonly RankedTask[], unread: number): Fact[] {
  const said: Fact[] = [];
  const { wallMs } = files.moment;
  if (!Number.isNaN(wallMs)) said.push({ label: 'at', text: new Date(wallMs).toISOString() });
  if (facts.kernel !== null) said.push({ label: 'kernel', text: facts.kernel });
  if (facts.domain.kind === 'memcg') said.push({ label: 'of', text: `the memory cgroup ${facts.domain.dir}` });
  for (const reason of ASIDE) {
    const count = left.filter((task) => task.reason === reason).length;
    if (count > 0) said.push({ label: 'left out', text: `${count} of the tasks: ${reason}` });
  }
  if (unread > 0) said.push({ label: 'left out', text: `${unread} of the tasks: their files could not be read` });
  return said;
}

async function momentOf(recording: Recording, files: RecordedFiles, room: EngineRoom): Promise<Moment> {
  const engine = await room.engineFor(tasksRecorded(files));
  const { machine, scoring, unreadable } = loadRecorded(engine, files);
  const rows = tasksInTable(engine, 'resident');
  const isAside = ({ reason }: RankedTask) => ASIDE.some((one) => one === reason);
  const tasks: Task[] = rows.filter((task) => !isAside(task));
  const totalPages = totalPagesOf(files, machine.pageSize) ?? machine.totalPages;
  const facts = factsOf(recording, files, rows.filter(isAside), unreadable);
  return {
    tasks,
    machine: { ...machine, totalPages },
    options: scoring,
    facts,
    kernelChose: null,
    kernelKilledChild: null,
  };
}

/** Throws BadnessError `ERECORDING` or `ESCHEMA` for text that is no recording. */
export function recordStory(text: string, room: EngineRoom): Story {
  const recording = parseRecording(text);
  const files = new RecordedFiles(recording);
  const timesS = momentsOf(recording).map((ms) => ms / 1000);
  const { madeBy, redacted, policy } = recording.facts;
  const notes = [
    ...(madeBy === null ? [] : [`recorded by ${madeBy}`]),
    ...(redacted.length === 0 ? [] : [`replaced by other words: ${redacted.join(', ')}`]),
    ...(recording.isComplete ? [] : ['it was cut off: the last snapshot may not be whole']),
  ];
  const head = {
    ...({ kind: 'recording', moments: timesS.map((s) => `${s.toFixed(1)} s`), momentsS: timesS } as const),
    ...{ first: timesS.length - 1, track: readTrack(files, timesS), kills: [], notes, policy },
  };
  const moment = (index: number) => {
    files.moveTo(index);
    return momentOf(recording, files, room);
  };
  const { users } = recording.facts;
  const surroundings = { texts: recordedTexts(files), uidOf: (name: string) => users.get(name) };
  return { head, surroundings, moment };
}
