/** What stands in for node:fs: the files that whoever runs the suite has put there, since browsers have none. */

declare global {
  /** By path below the root of the repository. */
  var badnessFiles: Record<string, Uint8Array>;
}

export function readFileSync(path: string, encoding?: 'utf8'): Uint8Array<ArrayBuffer> | string {
  const bytes = globalThis.badnessFiles[path];
  if (bytes === undefined) throw new Error(`${path} was not handed over: add it to FILES in tests/runtimes/bundle.mjs`);
  return encoding === undefined ? new Uint8Array(bytes) : new TextDecoder().decode(bytes);
}
