/** Stage: gate. The three levels of pressure, as thresholds: what a person or program chose comes in, all defaults filled in goes out. */
import { type Check, check, keyed, object, objectForm, refuse } from './checks.js';
import { scaled, showThreshold, type Threshold, type ThresholdInput, threshold } from './threshold.js';

/** Reached when what is available and the free swap have both fallen so low. `swapFree: '100%'` leaves swap out. */
export interface Level {
  readonly available: Threshold;
  readonly swapFree: Threshold;
}

/** At which memory what happens: both bounds of a level must be reached. */
export interface Thresholds {
  /** Say so. Default: available at one and a half times that of `term`, swap left out. */
  readonly warn: Level;
  /** SIGTERM. Default 10 %, 10 %. */
  readonly term: Level;
  /** SIGKILL. Default: half of `term`. */
  readonly kill: Level;
}

type Loose = { readonly available?: ThresholdInput | undefined; readonly swapFree?: ThresholdInput | undefined };

/** As Thresholds, as far as somebody said something, in the form of the input. */
export interface LooseThresholds {
  readonly warn?: Loose | undefined;
  readonly term?: Loose | undefined;
  readonly kill?: Loose | undefined;
}

function levelCheck(available: Threshold, swapFree: Threshold): Check<Level> {
  return object<Level>({ available: [threshold, available], swapFree: [threshold, swapFree] });
}

/** Refuses a level above the next milder one, as far as the two are written in the same unit. */
function checkOrder(milder: Level, worse: Level, path: string, milderName: string, worseName: string): void {
  for (const key of ['available', 'swapFree'] as const) {
    const [high, low] = [milder[key], worse[key]];
    for (const unit of ['percent', 'bytes'] as const) {
      if ((high[unit] ?? Number.POSITIVE_INFINITY) >= (low[unit] ?? 0)) continue;
      refuse(
        `${path}.${milderName}.${key}`,
        `at least ${worseName}.${key} (${showThreshold(low)})`,
        showThreshold(high),
      );
    }
  }
}

const { form } = levelCheck({ percent: 0 }, { percent: 0 });

export const thresholds: Check<Thresholds> = check(
  objectForm({ warn: form, term: form, kill: form }),
  (value, path) => {
    const given = keyed(value, path, ['warn', 'term', 'kill']);
    const term = levelCheck({ percent: 10 }, { percent: 10 })(given.term, `${path}.term`);
    const { available, swapFree } = term;
    const kill = levelCheck(scaled(available, 0.5), scaled(swapFree, 0.5))(given.kill, `${path}.kill`);
    const warn = levelCheck(scaled(available, 1.5), { percent: 100 })(given.warn, `${path}.warn`);
    checkOrder(term, kill, path, 'term', 'kill');
    checkOrder(warn, term, path, 'warn', 'term');
    return Object.freeze({ warn, term, kill });
  },
);

/** Checks thresholds and fills in the defaults, as definePolicy does. Throws TypeError or RangeError, by path. */
export function defineThresholds(input: LooseThresholds = {}): Thresholds {
  return thresholds(input, 'thresholds');
}
