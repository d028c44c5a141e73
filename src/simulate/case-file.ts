/** Stage: none (files). The text of a case file (TOML) comes in, frozen cases go out, or an error with a line for everything that is wrong. */

import { list, object } from '../policy/checks.js';
import { type FileKind, type PolicyProblem, Problems, TextFileError } from '../policy/policy-problems.js';
import { respelled, type Table } from '../policy/policy-tables.js';
import { snake } from '../policy/spelling.js';
import { checkVersion, parseToml } from '../policy/toml-text.js';
import { type Case, caseShape, expectationShape, policyCase } from './case.js';
import { checkKeys } from './file-keys.js';

/** Of the case files that this badness reads. */
export const CASES_VERSION = 1;

/** `ECASES`: the text is no case file. The message has one line for each problem, with the name of the file and the line. */
export class CaseFileError extends TextFileError {
  constructor(name: string, problems: readonly PolicyProblem[]) {
    super('ECASES', name, problems);
    this.name = 'CaseFileError';
  }
}

const CASES_KIND: FileKind = {
  path: (path) => snake(path.replace(/^cases\.?/, '')),
  words: (words) => words.replaceAll('cases.', '').replace(/\b[a-z]+(?:[A-Z][a-z]*)+\b/g, snake),
  error: (name, problems) => new CaseFileError(name, problems),
};

/** As a file has them: one `[[case]]` for each. */
interface Cases {
  readonly case: readonly Case[];
}

export const casesShape = { case: [list(policyCase, 1)] } as const;
const cases = object<Cases>(casesShape);

/** Reads the text of a case file. `name` stands in messages. Rejects with CaseFileError. */
export async function parseCases(text: string, name = 'cases'): Promise<readonly Case[]> {
  const { version, ...others } = await parseToml(text, name, CASES_KIND);
  const problems = new Problems(text, CASES_KIND);
  checkVersion(version, CASES_VERSION, problems);
  problems.throwIfAny(name);
  const input = respelled(others, '', problems) as Table;
  await checkKeys(input, 'cases', casesShape, { case: caseShape, expect: expectationShape }, problems);
  problems.throwIfAny(name);
  let found: readonly Case[] = [];
  await problems.attempt(() => {
    found = cases(input, 'cases').case;
  });
  problems.throwIfAny(name);
  return found;
}
