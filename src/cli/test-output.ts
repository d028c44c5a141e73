/** Stage: report. Policy tests as words, as TAP 14 and as JUnit XML. */
import type { CaseResult } from '../simulate/index.js';
import { printable } from './names.js';
import { counted } from './quantities.js';
import { escaped } from './report-plot.js';

/** A case that was played, and where it stands. */
export interface Played {
  readonly file: string;
  /** Path of the scenario or recording. */
  readonly path: string;
  readonly result: CaseResult;
}

/** What was expected and what came, a pair of lines for each key. */
function diffLines({ path, result }: Played): string[] {
  const { failed, failedRuns, runs } = result;
  if (failed === null) return [];
  const times = runs > 1 ? `, ${failedRuns} of ${runs} runs` : '';
  return [
    `${printable(path)}${failed.seed === null ? '' : `, seed ${failed.seed}`}${times}`,
    ...failed.failures.flatMap(({ key, expected, got }) => [
      `  ${key}`,
      `    - expected  ${printable(expected)}`,
      `    + got       ${printable(got)}`,
    ]),
  ];
}

export function wordLines(played: readonly Played[]): string[] {
  const lines = played.flatMap((one) => {
    const { name, failed, runs } = one.result;
    const times = runs > 1 ? ` (${runs} runs)` : '';
    return [
      `${failed ? 'FAILED' : 'passed'}  ${printable(name)}${times}`,
      ...diffLines(one).map((line) => `        ${line}`),
    ];
  });
  const failed = played.filter(({ result }) => result.failed).length;
  return [...lines, `${counted(played.length, 'case')}, ${played.length - failed} passed, ${failed} failed`];
}

export function tapLines(played: readonly Played[]): string[] {
  const lines = played.flatMap((one, index) => {
    // A name with # would be a directive.
    const name = printable(one.result.name).replaceAll('#', '\\#');
    const line = `${one.result.failed ? 'not ok' : 'ok'} ${index + 1} - ${name}`;
    const diff = diffLines(one);
    return diff.length === 0 ? [line] : [line, '  ---', '  diff: |', ...diff.map((text) => `    ${text}`), '  ...'];
  });
  return ['TAP version 14', `1..${played.length}`, ...lines];
}

/** One file for all cases, a suite for each case file. */
export function junitText(played: readonly Played[]): string {
  const files = [...new Set(played.map(({ file }) => file))];
  const suites = files.map((file) => {
    const own = played.filter((one) => one.file === file);
    const failures = own.filter(({ result }) => result.failed).length;
    const cases = own.map((one) => {
      const head = `<testcase name="${escaped(printable(one.result.name))}" classname="${escaped(printable(file))}"`;
      const diff = diffLines(one);
      if (diff.length === 0) return `    ${head}/>`;
      const message = escaped(one.result.failed!.failures.map(({ key }) => key).join(', '));
      return `    ${head}>\n      <failure message="${message}">${escaped(diff.join('\n'))}</failure>\n    </testcase>`;
    });
    const name = escaped(printable(file));
    return `  <testsuite name="${name}" tests="${own.length}" failures="${failures}">\n${cases.join('\n')}\n  </testsuite>`;
  });
  const failures = played.filter(({ result }) => result.failed).length;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="badness test" tests="${played.length}" failures="${failures}">
${suites.join('\n')}
</testsuites>
`;
}
