/** Stage: none (files). The text of a case file (TOML) comes in, frozen cases go out, or an error with a line for everything that is wrong. */

import { list, object } from '../policy/checks.js';
import { type PolicyProblem, TextFileError } from '../policy/policy-problems.js';
import { type Case, caseShape, expectationShape, policyCase } from './case.js';
import { readChecked } from './file-keys.js';

/** Of the case files that this badness reads. */
export const CASES_VERSION = 1;

/** `ECASES`: the text is no case file. The message has one line for each problem, with the name of the file and the line. */
export class CaseFileError extends TextFileError {
  constructor(name: string, problems: readonly PolicyProblem[]) {
    super('ECASES', name, problems);
    this.name = 'CaseFileError';
  }
}

/** As a file has them: one `[[case]]` for each. */
interface Cases {
  readonly case: readonly Case[];
}

export const casesShape = { case: [list(policyCase, 1)] } as const;
const cases = object<Cases>(casesShape);

/** Reads the text of a case file. `name` stands in messages. Rejects with CaseFileError. */
export function parseCases(text: string, name = 'cases'): Promise<readonly Case[]> {
  return readChecked(text, name, {
    root: 'cases',
    version: CASES_VERSION,
    shape: casesShape,
    within: { case: caseShape, expect: expectationShape },
    error: (...found) => new CaseFileError(...found),
    define: (input) => cases(input, 'cases').case,
  });
}
