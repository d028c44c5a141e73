/** Stage: selection. Regular expressions in linear time. A file of its own, so that only who has one loads the library. */
import { RE2JS } from 're2js';

/** Finds the expression anywhere in a text. Throws for what RE2 does not take. */
export function compileExpression(source: string): (text: string) => boolean {
  const expression = RE2JS.compile(source);
  return (text) => expression.test(text);
}
