/** Stage: bytes of /proc → selection. What rules ask about the tasks of a recording, of as many of them as somebody wants to know it. */
import type { TaskTexts } from '../policy/row-rules.js';
import { ProcTexts } from '../proc/rule-texts.js';
import type { RecordedFiles } from './recorded-files.js';

/** Texts of the snapshot that the files stand at. A guard looks at few tasks a round, for it waits for them; here nothing is waited for. */
export function recordedTexts(files: RecordedFiles): TaskTexts {
  return new ProcTexts(files, { now: () => 0, cmdlines: Number.POSITIVE_INFINITY });
}
