/** Stage: watch → measure. The memory of this machine. */
import { MachineMemory } from '../proc/meminfo.js';
import { type FileCalls, NODE_FILES } from './file-calls.js';
import { KeptFile } from './kept-file.js';
import { liveFiles } from './live-files.js';

export type { Meminfo } from '../proc/meminfo.js';

/** Memory of this machine from /proc/meminfo, on kept descriptors. */
export class MeminfoReader extends MachineMemory {
  /** `root` is where /proc is. @throws ENOENT, EACCES by errno name. */
  constructor(root = '/proc', files: FileCalls = NODE_FILES) {
    super({ ...liveFiles, keep: (path) => new KeptFile(path, files) }, root);
  }
}
