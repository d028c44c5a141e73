/** Stage: kill. What the reaction `panic` does when the hand-off is over, as data. */
import { type Check, check, either, flag, integer, list, object, oneOf, refuse, text } from './checks.js';

/** `exit`: this process ends with the code, 0 … 255. `reboot`: through sysrq. `command`: a program and its arguments. */
export type PanicEnd = { readonly exit: number } | 'reboot' | { readonly command: readonly string[] };

/** How a panic goes: hand off, wait, end. */
export interface PanicPlan {
  /** How long the hand-off may take, ms, 0 … 3,600,000. */
  readonly handOffMs: number;
  /** As /proc/sys/kernel/panic, seconds: > 0 wait so long after the hand-off, 0 stay for ever, < 0 at once. −1 … 86,400. */
  readonly delayS: number;
  readonly end: PanicEnd;
  /** Must be true for `end: 'reboot'`. */
  readonly allowReboot: boolean;
}

/** EX_TEMPFAIL of sysexits.h: a supervisor may try again. */
const EXIT_DEFAULT = 75;
const HOUR_MS = 3_600_000;
const DAY_S = 86_400;

const argument = text(/^[^\0]*$/, 'an argument without NUL');
const end: Check<PanicEnd> = either<'reboot', PanicEnd>(oneOf(['reboot']), {
  exit: object<{ exit: number }>({ exit: [integer(0, 255)] }),
  command: object<{ command: readonly string[] }>({ command: [list(argument, 1)] }),
});

const fields = object<PanicPlan>({
  handOffMs: [integer(0, HOUR_MS), 5000],
  delayS: [integer(-1, DAY_S), 10],
  end: [end, { exit: EXIT_DEFAULT }],
  allowReboot: [flag, false],
});

export const panicPlan: Check<PanicPlan> = check(fields.form, (value, path) => {
  const plan = fields(value, path);
  if (plan.end === 'reboot' && !plan.allowReboot) {
    return refuse(`${path}.end`, `something else while ${path}.allowReboot is not true`, plan.end);
  }
  return plan;
});
