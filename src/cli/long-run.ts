/** Stage: none. For commands that compute for seconds and then end. */
import { setFlagsFromString } from 'node:v8';

/**
 * Node can hang for ever when it exits while V8 compiles in another thread and that thread wants memory collected (nodejs/node#54918): seen
 * here once in some hundred runs on a busy machine. Compiling in this thread cannot; it costs a few percent.
 */
export function compileInThisThread(): void {
  setFlagsFromString('--no-concurrent-recompilation');
}
