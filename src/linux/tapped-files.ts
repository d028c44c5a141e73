/** Stage: bytes of /proc. The files of the running kernel, with a note of whatever was read of them: what a recording needs. */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import { isForbidden, isGone, type KeptText, type ProcFiles } from '../proc/proc-files.js';
import { keptLines } from '../recording/kept-lines.js';
import type { Entry } from '../recording/recording.js';
import { byteString, textOf } from '../recording/spelling.js';
import { liveFiles, readStart } from './live-files.js';

/** Reads as `liveFiles` does, and remembers. What has vanished is not remembered; what may not be read is, as such. */
export class TappedFiles implements ProcFiles {
  /** What was read, by path. */
  readonly entries = new Map<string, Entry>();
  readonly owners = new Map<string, number>();

  #noted(path: string, read: () => string): string {
    try {
      const bytes = read();
      this.entries.set(path, { kind: 'file', bytes: keptLines(path, bytes) });
      return bytes;
    } catch (error) {
      this.#refused(path, error);
      throw error;
    }
  }

  #refused(path: string, error: unknown): void {
    if (isForbidden(error)) this.entries.set(path, { kind: 'error', code: (error as { code: string }).code });
  }

  readInto(engine: Engine, path: string): number {
    let length = 0;
    this.#noted(path, () => {
      length = liveFiles.readInto(engine, path);
      const at = engine.window + L.W_TEXT;
      return Buffer.from(engine.bytes.buffer, at, length).toString('latin1');
    });
    return length;
  }

  text(path: string): string {
    return this.#noted(path, () => liveFiles.text(path));
  }

  start(path: string): string {
    return textOf(this.#noted(path, () => readStart(path, 'latin1')));
  }

  link(path: string): string {
    try {
      const target = liveFiles.link(path);
      this.entries.set(path, { kind: 'link', target: byteString(target) });
      return target;
    } catch (error) {
      this.#refused(path, error);
      throw error;
    }
  }

  list(path: string): readonly string[] {
    return liveFiles.list(path);
  }

  owner(path: string): number {
    const uid = liveFiles.owner(path);
    this.owners.set(path, uid);
    return uid;
  }

  exists(path: string): boolean {
    return liveFiles.exists(path);
  }

  keep(path: string): KeptText {
    this.text(path);
    return liveFiles.keep(path);
  }

  pageSize(root: string): number {
    return liveFiles.pageSize(root);
  }

  /** Reads a file only to have it; one that is not there, or that the kernel will not tell, is left out. */
  note(path: string, how: 'text' | 'start' | 'link' | 'owner' = 'text'): void {
    try {
      this[how](path);
    } catch (error) {
      const { code } = error as { code?: string };
      if (!isGone(error) && !isForbidden(error) && code !== 'EOPNOTSUPP' && code !== 'EIO' && code !== 'ENODEV')
        throw error;
    }
  }
}
