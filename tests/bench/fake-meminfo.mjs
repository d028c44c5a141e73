// A file in the place of /proc/meminfo, in a mount namespace of its own: memory runs short when this says so, and only then.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { Contestant } from './support.mjs';

/** The real text, with other figures, and of one length for all. */
export function meminfoOf(totalMib, percent) {
  const availableMib = Math.round((totalMib * percent) / 100);
  const figures = {
    ...{ MemTotal: totalMib, MemAvailable: availableMib, MemFree: availableMib, AnonPages: totalMib - availableMib },
    ...{ SwapTotal: 0, SwapFree: 0 },
  };
  return readFileSync('/proc/meminfo', 'utf8').replace(/^(\w+): +\d+/gm, (line, key) =>
    key in figures ? `${key}:${String(figures[key] * 1024).padStart(24 - key.length)}` : line,
  );
}

/** Mounts a file over /proc/meminfo. Returns its path. */
export function mountOver(file) {
  const { status, stderr } = spawnSync('mount', ['--bind', file, '/proc/meminfo'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cannot mount over /proc/meminfo: ${stderr}`);
}

/** Texts by name in files of a folder, and one of them at a time over /proc/meminfo. */
export class FakeMeminfo {
  #folder;

  constructor(folder, totalMib, percents) {
    this.#folder = folder;
    const texts = Object.entries(percents).map(([name, percent]) => [name, meminfoOf(totalMib, percent)]);
    for (const [name, text] of texts) writeFileSync(this.path(name), text);
    writeFileSync(this.path('now'), texts[0][1]);
    mountOver(this.path('now'));
  }

  path(name) {
    return `${this.#folder}/meminfo.${name}`;
  }

  /** In place and of one length, so that a kept descriptor sees it. */
  show(name) {
    writeFileSync(this.path('now'), readFileSync(this.path(name)), { flag: 'r+' });
  }

  /** reaction.c, which makes memory fall from one of the texts to another and back; each step is told how many microseconds to wait before. */
  async startFlipper(from, to, victimMib) {
    const flipper = new Contestant(`${this.#folder}/reaction`, [
      ...[this.path('now'), this.path(from), this.path(to)],
      String(victimMib),
    ]);
    if (!(await flipper.ready())) throw new Error('reaction does not start');
    return flipper;
  }
}
