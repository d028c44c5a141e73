/** Stage: watch · kill. A notifier whose `warn` is called apart from the rest, so that a warning never holds up a round. */
import { PHASES } from '../policy/phases.js';
import type { Notifier } from './notifier.js';
import type { NotifierChain } from './notifier-chain.js';

/** Errors as NotifierChain.register. */
export function registerApart({ warn, ...rest }: Notifier, warnings: NotifierChain, chain: NotifierChain): void {
  const others = PHASES.some((phase) => phase !== 'warn' && rest[phase] !== undefined);
  if (warn) warnings.register({ name: rest.name, priority: rest.priority, warn });
  if (others || !warn) chain.register(rest as Notifier);
}
