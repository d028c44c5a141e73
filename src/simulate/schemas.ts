/** Stage: none (files). The JSON schemas of scenario and case files, for editors. */
import { type Check, object } from '../policy/checks.js';
import { fileSchema, respelledForm, type Schema } from '../policy/file-schema.js';
import { CASES_VERSION, casesShape } from './case-file.js';
import type { KeyShape } from './file-keys.js';
import { scenarioShape } from './scenario.js';
import { SCENARIO_VERSION } from './scenario-file.js';

function versioned(shape: KeyShape, version: number): Schema {
  const { form }: Check<object> = object(shape as never);
  const { properties, required, ...others } = respelledForm(form) as Schema & { required?: readonly string[] };
  return {
    ...others,
    properties: { version: { const: version }, ...properties },
    required: ['version', ...(required ?? [])],
  };
}

const asItIs = (path: string) => path;

/** The schema (draft 7) of scenario files. `page`: the text of docs/simulation.md. Throws RangeError as policySchema does. */
export function scenarioSchema(page?: string): object {
  return fileSchema('badness scenario file', versioned(scenarioShape, SCENARIO_VERSION), page, asItIs);
}

/** The schema (draft 7) of case files. `page`: the text of docs/policy-tests.md. Throws RangeError as policySchema does. */
export function casesSchema(page?: string): object {
  return fileSchema('badness case file', versioned(casesShape, CASES_VERSION), page, asItIs);
}
