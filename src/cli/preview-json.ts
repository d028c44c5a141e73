/** Stage: report. A preview as one object, with the kernel's spellings. */
import { MACHINE_DEFAULTS, machineToRecord, rankedToRecord } from '../index.js';
import { type Plain, snakeKeys } from '../linux/index.js';
import type { Policy, Preview } from '../policy/index.js';

type State = Preview['start'];

const { schema } = machineToRecord(MACHINE_DEFAULTS);

/** `memory`: before it fell. */
export function previewRecord(view: { domain: string; memory: State }, policy: Policy, preview: Preview): object {
  const { start, level, end, assumptions } = preview;
  const plain = (value: object) => snakeKeys(value as Plain);
  return {
    schema,
    ...{
      estimate: true,
      domain: view.domain,
      scheme: policy.scheme,
      now: plain(view.memory),
      start: plain(start),
      level,
    },
    kills: preview.kills.map(({ task, ...kill }) => ({
      ...rankedToRecord(task),
      ...(plain(kill) as object),
    })),
    ...{ end, assumptions },
  };
}
