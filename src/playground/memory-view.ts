/** Stage: report (in a page). Memory as it fills, with who was killed when, and the moment that is looked at. */
import uPlot from 'uplot';
import { memory } from '../cli/quantities.js';
import { byId, write } from './elements.js';
import { nameOf } from './names.js';
import type { Kill, MemoryTrack, StoryHead } from './story.js';

const HEIGHT_PX = 220;
const PLAY_MS = 80;

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Thousands of bytes as people write them, on round numbers. */
function byteSplits(most: number): number[] {
  const step = 2 ** Math.ceil(Math.log2(Math.max(most, 1) / 5));
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step);
}

/** What the plot shows, for who cannot see it. */
function trackWords({ timesS, memoryBytes, memoryTotalBytes }: MemoryTrack, kills: readonly Kill[]): string {
  const most = Math.max(...memoryBytes);
  const span = `${(timesS.at(-1) ?? 0).toFixed(0)} seconds`;
  const killed = kills.map(({ comm, atS }) => `${nameOf({ comm })} at ${atS.toFixed(1)} s`);
  const who = killed.length === 0 ? 'Nobody was killed.' : `Killed: ${killed.slice(0, 8).join(', ')}.`;
  return `Memory in use over ${span}: at most ${memory(most)} of ${memory(memoryTotalBytes)}. ${who}`;
}

export class MemoryView {
  readonly #section = byId('memory', HTMLElement);
  readonly #place = byId('plot', HTMLElement);
  readonly #slider = byId('time', HTMLInputElement);
  readonly #now = byId('time-now', HTMLOutputElement);
  readonly #play = byId('play', HTMLButtonElement);
  readonly #choose: (moment: number) => void;
  #plot: uPlot | null = null;
  #head: StoryHead | null = null;
  #moment = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(choose: (moment: number) => void) {
    this.#choose = choose;
    this.#slider.addEventListener('input', () => {
      this.#stop();
      this.#choose(Number(this.#slider.value));
    });
    this.#play.addEventListener('click', () => (this.#timer === undefined ? this.#start() : this.#stop()));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
    new ResizeObserver(() => this.#plot?.setSize({ width: this.#place.clientWidth, height: HEIGHT_PX })).observe(
      this.#place,
    );
  }

  /** Shows the track of a story, and its time; the events of a log are chosen elsewhere. */
  show(head: StoryHead): void {
    this.#stop();
    this.#head = head;
    this.#section.hidden = head.kind === 'log' || head.moments.length < 2;
    this.#place.hidden = head.track === null;
    this.#slider.max = String(head.moments.length - 1);
    this.#draw();
  }

  /** Moves to a moment. */
  mark(moment: number): void {
    this.#moment = moment;
    this.#slider.value = String(moment);
    const label = this.#head?.moments[moment] ?? '';
    write(this.#now, label);
    this.#slider.setAttribute('aria-valuetext', label);
    this.#plot?.redraw(false);
  }

  #start(): void {
    const last = Number(this.#slider.max);
    if (this.#moment >= last) this.#choose(0);
    this.#play.setAttribute('aria-pressed', 'true');
    write(this.#play, 'Pause');
    this.#timer = setInterval(() => {
      if (this.#moment >= last) this.#stop();
      else this.#choose(this.#moment + 1);
    }, PLAY_MS);
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#play.setAttribute('aria-pressed', 'false');
    write(this.#play, 'Play');
  }

  #draw(): void {
    this.#plot?.destroy();
    this.#plot = null;
    const track = this.#head?.track;
    if (!track) return;
    this.#place.setAttribute('aria-label', trackWords(track, this.#head!.kills));
    const sums = track.memoryBytes.map((bytes, index) => bytes + track.swapBytes[index]!);
    const data: uPlot.AlignedData = [[...track.timesS], sums, [...track.memoryBytes]];
    this.#plot = new uPlot(this.#options(track), data, this.#place);
  }

  #options({ memoryTotalBytes, swapTotalBytes }: MemoryTrack): uPlot.Options {
    const ink = colour('faint');
    const line = colour('line');
    const most = memoryTotalBytes + swapTotalBytes;
    const axis = {
      stroke: ink,
      grid: { stroke: line, width: 1 },
      ticks: { show: false },
      font: `12px ${colour('text')}`,
    };
    return {
      ...{ width: this.#place.clientWidth, height: HEIGHT_PX, legend: { show: false }, padding: [14, 22, 0, 0] },
      cursor: { y: false, drag: { x: false, y: false } },
      scales: { x: { time: false }, y: { range: () => [0, most * 1.02] } },
      axes: [
        { ...axis, size: 30, grid: { show: false }, values: (_, splits) => splits.map((split) => `${split} s`) },
        {
          ...{ ...axis, size: 72, splits: () => byteSplits(most) },
          values: (_, splits) => splits.map((split) => (split === 0 ? '0' : memory(split))),
        },
      ],
      series: [
        {},
        { stroke: colour('swap'), width: 1.5, points: { show: false } },
        { stroke: colour('rss'), fill: colour('rss-fill'), width: 1.5, points: { show: false } },
      ],
      bands: [{ series: [1, 2], fill: colour('swap-fill') }],
      hooks: {
        draw: [(plot) => this.#drawMarks(plot, memoryTotalBytes)],
        ready: [(plot) => plot.over.addEventListener('click', () => this.#chooseAt(plot))],
      },
    };
  }

  #chooseAt(plot: uPlot): void {
    const { left } = plot.cursor;
    if (left === undefined || left < 0) return;
    const atS = plot.posToVal(left, 'x');
    const { momentsS } = this.#head!;
    const far = momentsS.map((momentS) => Math.abs(momentS - atS));
    this.#stop();
    this.#choose(far.indexOf(Math.min(...far)));
  }

  /** Where memory ends, when somebody was killed, and the moment. */
  #drawMarks(plot: uPlot, memoryTotalBytes: number): void {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.lineWidth = ratio;
    const across = (bytes: number) => {
      const y = Math.round(plot.valToPos(bytes, 'y', true));
      ctx.beginPath();
      ctx.setLineDash([4 * ratio, 4 * ratio]);
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.setLineDash([]);
    };
    ctx.strokeStyle = colour('faint');
    across(memoryTotalBytes);
    ctx.fillStyle = colour('victim');
    for (const { atS } of this.#head!.kills) {
      const x = plot.valToPos(atS, 'x', true);
      ctx.beginPath();
      ctx.moveTo(x - 5 * ratio, bbox.top - 10 * ratio);
      ctx.lineTo(x + 5 * ratio, bbox.top - 10 * ratio);
      ctx.lineTo(x, bbox.top - 2 * ratio);
      ctx.fill();
    }
    const atS = this.#head!.momentsS[this.#moment] ?? 0;
    const x = Math.round(plot.valToPos(atS, 'x', true));
    ctx.strokeStyle = colour('ink');
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.restore();
  }
}
