/** Stage: bytes → table. A file of task records, or standard input. */
import { TaskLineReader, type TaskLines } from '../index.js';
import { feedFile } from './line-feed.js';

export type TaskFile = TaskLines;

/** Reads all task records of a file, `-` being standard input. The first bad line ends it: nothing is returned then. */
export async function readTaskFile(path: string): Promise<TaskFile> {
  const reader = new TaskLineReader();
  await feedFile(path, reader, 'a file of task records', 'write a byte of a name that is not as \\udc80 … \\udcff');
  return reader;
}
