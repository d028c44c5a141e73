/** The recording that simulated machines go by, where they are given none. */
import { recordingText } from '../../src/support/recordings.js';

const TASKS = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`task${at}`, 1000 + ((at * 37) % 400)]));

/** Short of memory all the time: a round a second. */
export const SHORT = recordingText(
  Array.from({ length: 4 }, (_, index) => ({
    ...{ monotonicMs: index * 1000, percent: 6, tasks: { hog: 70_000, big: 50_000, ...TASKS } },
  })),
);
