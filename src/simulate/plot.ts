/**
 * Stage: report, of simulations. Memory over time as one SVG, a panel for each policy, with who was killed when: no script, nothing loaded,
 * colours for light and dark of its own. A comm is whatever a scenario says, so every text is escaped.
 */
import type { ContestRow } from './contest.js';
import type { SimMachine } from './scenario.js';
import type { SimKill, SimSample } from './sim-figures.js';

const WIDTH = 860;
const LEFT = 64;
const RIGHT = 16;
const HEAD = 30;
const HEIGHT = 130;
const FOOT = 34;
const PANEL = HEAD + HEIGHT + FOOT;
const TITLE = 26;
const LEGEND = 26;
const GIB = 2 ** 30;
/** A label is left out where it would lie on another. */
const LABEL_GAP = 110;
/** More marks than this tell nothing more. */
const MARKS_MOST = 400;

const STYLE = `
.badness-plot { --ink: #1b1b1b; --paper: #fff; --faint: #666; --line: #ddd; --memory: #4477aa; --swap: #ccaa33; --guilty: #117733; --innocent: #b00020; background: var(--paper); font: 12px ui-monospace, monospace }
@media (prefers-color-scheme: dark) { .badness-plot { --ink: #e6e6e6; --paper: #151515; --faint: #999; --line: #333; --memory: #66a3dd; --swap: #ddc566; --guilty: #55bb77; --innocent: #ff6b7f } }
.badness-plot text { fill: var(--ink) } .badness-plot .faint { fill: var(--faint) } .badness-plot .title { font-weight: bold }
.badness-plot .line { stroke: var(--line); fill: none } .badness-plot .all { stroke: var(--faint); stroke-dasharray: 4 3; fill: none }
.badness-plot .memory { fill: var(--memory); fill-opacity: .75 } .badness-plot .swap { fill: var(--swap); fill-opacity: .75 }
.badness-plot .guilty { fill: var(--guilty); stroke: var(--guilty) } .badness-plot .innocent { fill: var(--innocent); stroke: var(--innocent) }
.badness-plot .label { stroke: none }`;

/** What no XML may hold, and what would change the direction of the text. */
const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;
const ENTITIES: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(FORBIDDEN, '\ufffd').replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(bytes < 10 * GIB ? 1 : 0)} GiB`;
}

function seconds(ms: number): string {
  return ms >= 120_000 ? `${Math.round(ms / 6000) / 10} min` : `${Math.round(ms / 100) / 10} s`;
}

/** From a moment and bytes to a place. */
interface Scale {
  readonly top: number;
  x(ms: number): number;
  y(bytes: number): number;
}

function scaleOf({ memory, swap }: SimMachine, lastsMs: number, top: number): Scale {
  const across = (WIDTH - LEFT - RIGHT) / lastsMs;
  const up = HEIGHT / (memory + swap);
  return { top, x: (ms) => LEFT + ms * across, y: (bytes) => top + HEIGHT - bytes * up };
}

const place = (value: number) => value.toFixed(1);

/** The area between two heights over time. */
function area(
  name: string,
  samples: readonly SimSample[],
  scale: Scale,
  low: (one: SimSample) => number,
  high: (one: SimSample) => number,
) {
  const point = (one: SimSample, bytes: number) => `${place(scale.x(one.atMs))},${place(scale.y(bytes))}`;
  const forth = samples.map((one) => point(one, high(one)));
  const back = samples.map((one) => point(one, low(one))).reverse();
  return `<polygon class="${name}" points="${[...forth, ...back].join(' ')}"/>`;
}

/** A disc for who was guilty, a cross for an innocent; a kill of the kernel has a square around it. */
function mark(kill: SimKill, scale: Scale, labelled: boolean): string {
  const x = scale.x(kill.atMs);
  const y = scale.top - 8;
  const name = kill.culprit ? 'guilty' : 'innocent';
  const words = `${seconds(kill.atMs)}: ${kill.comm} (${kill.tgid}), ${gib(kill.bytes)}, by the ${kill.by === 'parent' ? 'end of its parent' : kill.by}`;
  const sign = kill.culprit
    ? `<circle cx="${place(x)}" cy="${place(y)}" r="3.5"/>`
    : `<path d="M${place(x - 3.5)} ${place(y - 3.5)}l7 7m0 -7l-7 7" stroke-width="2"/>`;
  const square = `<rect x="${place(x - 6)}" y="${place(y - 6)}" width="12" height="12" fill="none"/>`;
  const stem = `<path d="M${place(x)} ${place(y + 5)}V${place(scale.top + HEIGHT)}" stroke-opacity=".35"/>`;
  const label = labelled
    ? `<text class="label" x="${place(x + 9)}" y="${place(y + 4)}">${escaped(kill.comm)}</text>`
    : '';
  return `<g class="${name}"><title>${escaped(words)}</title>${stem}${sign}${kill.by === 'kernel' ? square : ''}${label}</g>`;
}

function marks(kills: readonly SimKill[], scale: Scale): string {
  let free = Number.NEGATIVE_INFINITY;
  const drawn = kills.slice(0, MARKS_MOST).map((kill) => {
    const x = scale.x(kill.atMs);
    const labelled = x >= free && x <= WIDTH - RIGHT - LABEL_GAP / 2;
    if (labelled) free = x + LABEL_GAP;
    return mark(kill, scale, labelled);
  });
  return drawn.join('');
}

function axes(machine: SimMachine, lastsMs: number, scale: Scale): string {
  const bottom = scale.top + HEIGHT;
  const heights = [0, machine.memory, ...(machine.swap > 0 ? [machine.memory + machine.swap] : [])];
  const rows = heights.map((bytes) => {
    const y = place(scale.y(bytes));
    const label = `<text class="faint" x="${LEFT - 6}" y="${place(scale.y(bytes) + 4)}" text-anchor="end">${gib(bytes)}</text>`;
    return `<path class="${bytes === 0 ? 'line' : 'all'}" d="M${LEFT} ${y}H${WIDTH - RIGHT}"/>${label}`;
  });
  const times = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle';
    const at = lastsMs * share;
    return `<text class="faint" x="${place(scale.x(at))}" y="${bottom + 16}" text-anchor="${anchor}">${seconds(at)}</text>`;
  });
  return rows.join('') + times.join('');
}

function summary({ runs: [run] }: ContestRow): string {
  const { kills, innocentsKilled, kernelKills, pressureMs, stalledMs } = run!;
  const killed = kills.length === 0 ? 'nobody killed' : `${kills.length} killed, ${innocentsKilled} innocent`;
  const kernel = kernelKills > 0 ? `, ${kernelKills} by the kernel` : '';
  const stalled = stalledMs > 0 ? `, ${seconds(stalledMs)} stalled` : '';
  return `${killed}${kernel}; ${seconds(pressureMs)} of pressure${stalled}`;
}

function panel(row: ContestRow, machine: SimMachine, index: number): string {
  const { samples, kills } = row.runs[0]!;
  const top = TITLE + index * PANEL + HEAD;
  const lastsMs = Math.max(1, samples.at(-1)?.atMs ?? 1);
  const scale = scaleOf(machine, lastsMs, top);
  const used = ({ availableBytes }: SimSample) => machine.memory - availableBytes;
  const heading = `<text class="title" x="${LEFT}" y="${top - 18}">${escaped(row.name)}</text>`;
  const words = `<text class="faint" x="${WIDTH - RIGHT}" y="${top - 18}" text-anchor="end">${escaped(summary(row))}</text>`;
  return [
    heading + words,
    area('memory', samples, scale, () => 0, used),
    area('swap', samples, scale, used, (one) => used(one) + one.swapUsedBytes),
    axes(machine, lastsMs, scale),
    marks(kills, scale),
  ].join('\n');
}

function legend(y: number, hasSwap: boolean): string {
  const swap = hasSwap
    ? `<rect class="swap" x="170" y="${y - 9}" width="10" height="10"/><text x="184" y="${y}">swap used</text>`
    : '';
  return `<rect class="memory" x="${LEFT}" y="${y - 9}" width="10" height="10"/><text x="${LEFT + 14}" y="${y}">memory used</text>${swap}
<g class="guilty"><circle cx="282" cy="${y - 4}" r="3.5"/></g><text x="292" y="${y}">killed, guilty</text>
<g class="innocent"><path d="M412.5 ${y - 7.5}l7 7m0 -7l-7 7" stroke-width="2"/></g><text x="426" y="${y}">killed, innocent</text>
<rect class="line" x="560" y="${y - 10}" width="12" height="12"/><text x="578" y="${y}">by the kernel</text>`;
}

/** The first run of every row of a contest in that scenario, as one SVG document. */
export function plotContest(
  { name, machine }: { readonly name: string; readonly machine: SimMachine },
  rows: readonly ContestRow[],
): string {
  const height = TITLE + rows.length * PANEL + LEGEND;
  const title = `${name}: memory over time, and who was killed`;
  const panels = rows.map((row, index) => panel(row, machine, index));
  return `<svg xmlns="http://www.w3.org/2000/svg" class="badness-plot" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<rect width="${WIDTH}" height="${height}" fill="var(--paper)"/>
<text class="title" x="${LEFT}" y="18">${escaped(name)}</text>
${panels.join('\n')}
${legend(height - 8, machine.swap > 0)}
</svg>
`;
}
