/** Stage: report. Names of this machine's users, as /etc/passwd has them; a uid without one stands for itself. */
import { readFileSync } from 'node:fs';
import { printable } from './names.js';

/** Says the name of a uid. `ours` is false for tasks of another machine, whose users are not ours. */
export function userNames(ours: boolean): (uid: number) => string {
  const names = new Map<number, string>();
  if (ours) {
    try {
      // root:x:0:0:root:/root:/bin/bash
      for (const [, name, uid] of readFileSync('/etc/passwd', 'utf8').matchAll(/^([^:\n]+):[^:\n]*:(\d+):/gm)) {
        if (!names.has(Number(uid))) names.set(Number(uid), printable(name!));
      }
    } catch {
      // Numbers will do.
    }
  }
  return (uid) => names.get(uid) ?? String(uid);
}
