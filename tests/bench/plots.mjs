// Bars as SVG, light and dark: what the README shows of RESULTS.md.
import { mkdirSync, writeFileSync } from 'node:fs';
import { middle } from './reaction-report.mjs';
import { isKnown, round } from './verdicts.mjs';

const COLORS = {
  light: { text: '#1f2328', ours: '#0969da', theirs: '#8c959f' },
  dark: { text: '#e6edf3', ours: '#4493f8', theirs: '#6e7681' },
};
const WIDTH = 640;
const ROW = 28;
const NAME_WIDTH = 190;
const BAR_MOST = WIDTH - NAME_WIDTH - 90;

const escaped = (text) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** `rows`: name, value, and whether it is ours. Shorter is better. */
export function bars(title, unit, rows, { text, ours, theirs }) {
  const most = Math.max(...rows.map(({ value }) => value));
  const lines = rows.map(({ name, value, isOurs }, at) => {
    const y = 36 + at * ROW;
    const width = Math.max(1, (BAR_MOST * value) / most);
    return (
      `<text x="${NAME_WIDTH - 8}" y="${y + 14}" text-anchor="end">${escaped(name)}</text>` +
      `<rect x="${NAME_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="18" rx="3" fill="${isOurs ? ours : theirs}"/>` +
      `<text x="${(NAME_WIDTH + width + 6).toFixed(1)}" y="${y + 14}">${escaped(`${round(value, value < 10 ? 1 : 0)} ${unit}`)}</text>`
    );
  });
  const height = 44 + rows.length * ROW;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">` +
    `<g font-family="system-ui, sans-serif" font-size="13" fill="${text}"><text x="8" y="20" font-weight="600">${escaped(title)}</text>${lines.join('')}</g></svg>\n`
  );
}

/** Writes the plots of these figures into a folder. */
export function writePlots(folder, { reaction, footprint }) {
  const plots = {
    reaction: [
      `Memory falls to 4.9 %, ${reaction.crowd} processes: until the victim is dead (median)`,
      'ms',
      Object.entries(reaction.ms)
        .filter(([, list]) => list.some(isKnown))
        .map(([name, list]) => ({ name, value: middle(list), isOurs: name === 'guard' })),
    ],
    footprint: [
      'Resident memory',
      'MiB',
      Object.entries(footprint.medians)
        .filter(([, { far }]) => far)
        .map(([name, { far }]) => ({ name, value: far.rssMib, isOurs: /badness|device/.test(name) })),
    ],
  };
  mkdirSync(folder, { recursive: true });
  for (const [name, parts] of Object.entries(plots))
    for (const [theme, colors] of Object.entries(COLORS))
      writeFileSync(`${folder}/${name}-${theme}.svg`, bars(...parts, colors));
}

const WORDS = { reaction: 'Until the victim is dead, by daemon', footprint: 'Resident memory, by daemon' };

/** The plots in a folder for a README, each in the reader's theme. */
export function pictures(folder) {
  return Object.entries(WORDS).map(
    ([name, words]) =>
      `<picture>\n  <source media="(prefers-color-scheme: dark)" srcset="${folder}/${name}-dark.svg">\n` +
      `  <img alt="${words}" src="${folder}/${name}-light.svg">\n</picture>`,
  );
}
