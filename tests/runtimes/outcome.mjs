// What a run in one runtime comes to, what is wrong with it, and the table of all for the README.

const SUITE = 'suite ';

/** By name, whether it works: suites first, then features. What failed is in `problems`, in words. */
export function outcomeOf({ tests = [], features = {} }) {
  const works = {};
  const problems = [];
  for (const { suite, name, error } of tests) {
    const key = `${SUITE}${suite}`;
    works[key] = (works[key] ?? true) && error === null;
    if (error !== null) problems.push({ of: key, words: `${suite}: ${name}: ${error}` });
  }
  for (const [name, error] of Object.entries(features)) {
    works[name] = error === null;
    if (error !== null) problems.push({ of: name, words: `${name}: ${error}` });
  }
  return { works, problems };
}

/** Where the records of two runs differ, in words; null where they do not. */
export function differenceOf(asks, ours, theirs) {
  if (ours.length !== theirs.length) return `${theirs.length} records instead of ${ours.length}`;
  const index = ours.findIndex((record, at) => record !== theirs[at]);
  if (index < 0) return null;
  const byte = [...ours[index]].findIndex((digit, at) => digit !== theirs[index][at]) >> 1;
  return `${asks[index].name}: byte ${byte} of the record differs`;
}

/** Runtimes that answer alike share a column: "Node 20, 22, 24, 26". */
function columnsOf(results) {
  const columns = new Map();
  for (const [name, works] of Object.entries(results)) {
    const [, family, version] = /^(.*?)(?: (\d+))?$/.exec(name);
    const key = version ? `${family} ${JSON.stringify(works)}` : name;
    const column = columns.get(key) ?? { family, versions: [], works };
    if (version) column.versions.push(version);
    columns.set(key, column);
  }
  return [...columns.values()].map(({ family, versions, works }) => ({
    title: versions.length > 0 ? `${family} ${versions.join(', ')}` : family,
    works,
  }));
}

/** Suites with the same answers share a row. */
function rowsOf(columns) {
  const cell = (works, row) => (works[row] === undefined ? '–' : works[row] ? 'yes' : 'no');
  const names = [...new Set(columns.flatMap(({ works }) => Object.keys(works)))];
  const rows = new Map();
  for (const name of names) {
    const cells = columns.map(({ works }) => cell(works, name));
    const isSuite = name.startsWith(SUITE);
    const row = isSuite ? rows.get(`suites ${cells}`) : undefined;
    if (row) row.title += `, ${name.slice(SUITE.length)}`;
    else
      rows.set(isSuite ? `suites ${cells}` : name, { title: isSuite ? name.replace(SUITE, 'suites ') : name, cells });
  }
  return [...rows.values()];
}

/** The Markdown table of results: a row for each thing that any of them was tried with. */
export function tableOf(results) {
  const columns = columnsOf(results);
  const lines = [
    ['', ...columns.map(({ title }) => title)],
    ['---', ...columns.map(() => '---')],
    ...rowsOf(columns).map(({ title, cells }) => [title, ...cells]),
  ];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
