// Recordings: those of tests/fixtures by name, and some as text, of tasks that are easily reckoned.

/** A browser cannot list a folder. */
export const FIXTURES = ['hostile.proc', 'kernel-killed.proc', 'limited-group.proc'] as const;

export interface RecordedMoment {
  readonly monotonicMs: number;
  /** Share of the 1 GiB machine that is available; null: nobody measured it. */
  readonly percent: number | null;
  /** Pages of memory by comm; pids are 100, 101, … in this order. */
  readonly tasks: Readonly<Record<string, number>>;
  /** Somebody decided here. */
  readonly decision?: boolean;
}

const TOTAL_KIB = 1_048_576;

function momentLines({ monotonicMs, percent, tasks, decision }: RecordedMoment): string[] {
  const kib = Math.floor((TOTAL_KIB * (percent ?? 0)) / 100);
  const rest = `basis_kib ${TOTAL_KIB} swap_total_kib 0 swap_free_kib 0`;
  const records = Object.entries(tasks).map(([comm, pages], index) =>
    JSON.stringify({ tgid: 100 + index, comm, rss_pages: pages, total_vm_pages: pages, uid: 1000, oom_score_adj: 0 }),
  );
  const machine = { schema: 1, page_size: 4096, hz: 100, uptime_s: 3600, total_pages: TOTAL_KIB / 4 };
  return [
    `snapshot monotonic_ms ${monotonicMs}`,
    ...(percent === null ? [] : [`memory total_kib ${TOTAL_KIB} available_kib ${kib} ${rest}`]),
    'tasks',
    ...[JSON.stringify(machine), ...records].map((line) => `  ${line}`),
    ...(decision ? ['decision', '  {}'] : []),
  ];
}

/** A recording of these moments; `head`: facts of the machine, a line each. */
export function recordingText(moments: readonly RecordedMoment[], head: readonly string[] = []): string {
  const lines = ['badness-recording 1', 'domain measured machine', ...head, ...moments.flatMap(momentLines), 'end'];
  return `${lines.join('\n')}\n`;
}
