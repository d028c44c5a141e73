// In place of tests/src/support/native-build.ts, which starts a process.

export function openNative(): never {
  throw new Error('there are no processes here');
}
