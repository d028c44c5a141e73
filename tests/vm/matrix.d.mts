// What tests/src/vm-matrix.test.ts calls.
export interface RunResult {
  readonly missing?: string;
  readonly late?: boolean;
  readonly right?: boolean;
  readonly innocents?: number;
  readonly kernelKills?: number;
  readonly failedChecks?: readonly string[];
  readonly ended?: boolean;
}
export function resultOf(guest: { facts: readonly object[]; late: boolean }): RunResult;
export function complaints(result: RunResult): string[];
