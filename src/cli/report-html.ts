/** Stage: report. OOM events as one page that needs nothing else: no script, nothing loaded, light and dark. */
import type { OomEvent, Reranking } from '../report/index.js';
import { cut, printable } from './names.js';
import {
  choiceLines,
  type Fact,
  factsOf,
  RANKING_TITLES,
  rankingCells,
  shownTasks,
  timeWords,
} from './report-facts.js';
import { type Bar, escaped, plotSvg } from './report-plot.js';

const BARS = 12;

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --faint: #666; --line: #ddd; --rss: #4477aa; --swap: #ccaa33; --tables: #aa3377; --victim: #b00020 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --paper: #151515; --faint: #999; --line: #333; --rss: #66a3dd; --swap: #ddc566; --tables: #dd77aa; --victim: #ff6b7f } }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
h1 { font-size: 1.4rem } h2 { font-size: 1.15rem; margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem } dt { color: var(--faint) } dd { margin: 0; overflow-wrap: anywhere }
svg { width: 100%; min-width: 34rem; height: auto; font: 12px ui-monospace, monospace } svg text { fill: var(--ink) } svg .victim { fill: var(--victim); font-weight: bold }
.rss { fill: var(--rss); color: var(--rss) } .swap { fill: var(--swap); color: var(--swap) } .tables { fill: var(--tables); color: var(--tables) }
.scroll { overflow-x: auto } table { border-collapse: collapse; font: .85rem ui-monospace, monospace }
th, td { padding: .1rem .6rem; text-align: right; white-space: pre } th:last-child, td:last-child { text-align: left }
tr.victim { color: var(--victim); font-weight: bold } th { border-bottom: 1px solid var(--line); color: var(--faint) } p, li { color: var(--faint) }`;

/** The beginning of the page. */
export function pageHead(source: string): string[] {
  const title = `OOM events in ${escaped(printable(source))}`;
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${title}</title><style>${STYLE}</style></head><body>`,
    `<h1>${title}</h1>`,
  ];
}

function barsOf(reranking: Reranking): Bar[] {
  return shownTasks(reranking, BARS).map((task) => ({
    task,
    label: `${printable(cut(task.comm, 20))} ${task.tgid}`,
    marked: task.slot === reranking.chosenSlot,
  }));
}

function plot(reranking: Reranking): string[] {
  const svg = plotSvg(barsOf(reranking), reranking.page.pageSize);
  if (svg === '') return [];
  const legend = '<b class="rss">■</b> resident <b class="swap">■</b> swapped <b class="tables">■</b> page tables';
  return ['<h3>Who had how much</h3>', `<div class="scroll">${svg}</div>`, `<p>${legend}</p>`];
}

function ranking(event: OomEvent, reranking: Reranking, count: number): string[] {
  const { scheme, ranking: ranked, page, chosenSlot } = reranking;
  if (!ranked) return [];
  const rows = shownTasks(reranking, count).map((task) => {
    const cells = rankingCells(task, event, page.pageSize).map((cell) => `<td>${escaped(cell)}</td>`);
    return `<tr${task.slot === chosenSlot ? ' class="victim"' : ''}>${cells.join('')}</tr>`;
  });
  const titles = RANKING_TITLES.map((title) => `<th>${title}</th>`).join('');
  const more = ranked.eligible > rows.length ? [`<p>${rows.length} of ${ranked.eligible}</p>`] : [];
  const table = `<div class="scroll"><table><thead><tr>${titles}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
  return [`<h3>Ranked again by ${scheme}</h3>`, table, ...more];
}

function choices(reranking: Reranking): string[] {
  const items = choiceLines(reranking).map((line) => `<li>${escaped(line)}</li>`);
  return items.length === 0 ? [] : ['<h3>Whom each scheme would have chosen</h3>', `<ul>${items.join('')}</ul>`];
}

function factList(facts: readonly Fact[]): string {
  return `<dl>${facts.map(({ label, text }) => `<dt>${label}</dt><dd>${escaped(text)}</dd>`).join('')}</dl>`;
}

/** One event; `policies` is what policies would have done. `count` bounds the rows of its table. */
export function eventSection(
  event: OomEvent,
  reranking: Reranking,
  number: number,
  count: number,
  policies: readonly Fact[] = [],
): string[] {
  const time = timeWords(event);
  return [
    `<section><h2>Event ${number}${time === null ? '' : `: ${escaped(time)}`}</h2>`,
    factList(factsOf(event, reranking)),
    ...plot(reranking),
    ...ranking(event, reranking, count),
    ...choices(reranking),
    ...(policies.length === 0 ? [] : ['<h3>What each policy would have done</h3>', factList(policies)]),
    '</section>',
  ];
}

/** The end of the page. */
export function pageFoot(lines: string[]): string[] {
  return ['<footer>', ...lines.map((line) => `<p>${escaped(line)}</p>`), '</footer></body></html>'];
}
