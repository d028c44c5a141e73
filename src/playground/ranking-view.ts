/** Stage: report (in a page). The ranking as a grid that holds only the rows on the screen: ten thousand tasks cost what thirty do. */
import { grouped, memory } from '../cli/quantities.js';
import type { RankedTask } from '../index.js';
import { element } from './elements.js';
import { nameOf } from './names.js';

const ROW_PX = 34;
/** Rows kept ready beyond either edge. */
const SPARE = 6;
const COLUMNS = ['#', 'Name', 'Pid', 'Points', 'Gives back', 'Adj'] as const;

/** Rows of a grid, made when they are looked at. */
export interface RankingRows {
  readonly count: number;
  /** What the longest bar stands for. */
  readonly mostPages: number;
  readonly pageSize: number;
  row(index: number): RankedTask;
  /** Whether the task in this row would go. */
  isVictim(index: number): boolean;
  /** What stands in the place of points of who has none, and behind those of who has. */
  words(index: number): string;
}

/** The first row to be drawn and the one after the last, for a place of so many pixels scrolled so far. */
export function visibleRows(scrolledPx: number, heightPx: number, count: number): { from: number; to: number } {
  const first = Math.floor(scrolledPx / ROW_PX) - SPARE;
  const last = Math.ceil((scrolledPx + heightPx) / ROW_PX) + SPARE;
  return { from: Math.max(0, Math.min(first, count)), to: Math.max(0, Math.min(last, count)) };
}

function bar(task: RankedTask, { mostPages, pageSize }: RankingRows): HTMLElement {
  const parts: [name: string, pages: number][] = [
    ['rss', task.rssPages],
    ['swap', task.swapPages],
    ['tables', task.pgtablesBytes / pageSize],
  ];
  const spans = parts.map(([name, pages]) => {
    const span = element('i', { class: name });
    span.style.width = `${Math.min(100, (100 * pages) / Math.max(mostPages, 1)).toFixed(2)}%`;
    return span;
  });
  return element('span', { class: 'bar' }, ...spans);
}

export class RankingView {
  readonly #grid: HTMLElement;
  readonly #body: HTMLElement;
  readonly #select: (index: number) => void;
  #rows: RankingRows | null = null;
  #selected = -1;
  #isDue = false;
  #isPressed = false;

  /** `select` is called with the row that was chosen. */
  constructor(place: HTMLElement, select: (index: number) => void) {
    this.#select = select;
    const heads = COLUMNS.map((title) => element('span', { role: 'columnheader' }, title));
    const head = element(
      'div',
      { class: 'head', role: 'rowgroup' },
      element('div', { role: 'row', 'aria-rowindex': '1', class: 'cells' }, ...heads),
    );
    this.#body = element('div', { class: 'body', role: 'rowgroup' });
    this.#grid = element('div', { class: 'grid', role: 'grid', tabindex: '0', 'aria-label': 'Ranking, worst first' });
    this.#grid.append(head, this.#body);
    this.#grid.addEventListener('scroll', () => this.#drawSoon());
    this.#grid.addEventListener('keydown', (event) => this.#onKey(event));
    this.#bindPointer();
    new ResizeObserver(() => this.#drawSoon()).observe(this.#grid);
    place.append(this.#grid);
  }

  /** Shows other rows. `selected` is the row of the task that is looked at, −1 for none. */
  show(rows: RankingRows, selected: number): void {
    this.#rows = rows;
    this.#selected = selected;
    this.#body.style.height = `${rows.count * ROW_PX}px`;
    this.#grid.setAttribute('aria-rowcount', String(rows.count + 1));
    this.#draw();
  }

  #draw(): void {
    const rows = this.#rows;
    if (!rows || this.#isPressed) return;
    const { from, to } = visibleRows(this.#grid.scrollTop, this.#grid.clientHeight, rows.count);
    const drawn: HTMLElement[] = [];
    for (let index = from; index < to; ++index) drawn.push(this.#rowAt(rows, index));
    this.#body.replaceChildren(...drawn);
    const isDrawn = this.#selected >= from && this.#selected < to;
    if (isDrawn) this.#grid.setAttribute('aria-activedescendant', `row-${this.#selected}`);
    else this.#grid.removeAttribute('aria-activedescendant');
  }

  #bindPointer(): void {
    this.#body.addEventListener('click', ({ clientY }) => {
      const index = Math.floor((clientY - this.#body.getBoundingClientRect().top) / ROW_PX);
      if (index >= 0 && index < (this.#rows?.count ?? 0)) this.#choose(index);
    });
    // Rows stay while one of them is pressed: a browser makes no click of a press on what is gone when it is let go.
    this.#body.addEventListener('pointerdown', () => {
      this.#isPressed = true;
    });
    for (const end of ['pointerup', 'pointercancel']) {
      addEventListener(end, () => {
        if (this.#isPressed) this.#drawSoon();
        this.#isPressed = false;
      });
    }
  }

  #rowAt(rows: RankingRows, index: number): HTMLElement {
    const task = rows.row(index);
    const isVictim = rows.isVictim(index);
    const name = element('span', { role: 'gridcell', class: 'who' }, nameOf(task));
    const points = task.points === null ? rows.words(index) : `${grouped(task.points)}${rows.words(index)}`;
    const cell = (text: string, kind: string) => element('span', { role: 'gridcell', class: kind }, text);
    const gives = element('span', { role: 'gridcell', class: 'number gives' }, bar(task, rows));
    gives.append(element('b', {}, memory(task.chargePages * rows.pageSize)));
    const row = element('div', {
      ...{ role: 'row', id: `row-${index}`, 'aria-rowindex': String(index + 2) },
      'aria-selected': String(index === this.#selected),
      class: `cells${isVictim ? ' victim' : ''}${task.eligible ? '' : ' spared'}`,
    });
    row.append(
      cell(task.eligible ? String(index + 1) : '–', 'number place'),
      name,
      cell(String(task.tgid), 'number pid'),
      cell(points, 'number points'),
      gives,
      cell(String(task.oomScoreAdj).replace('-', '−'), 'number adj'),
    );
    row.style.transform = `translateY(${index * ROW_PX}px)`;
    return row;
  }

  #drawSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#draw();
    });
  }

  #onKey(event: KeyboardEvent): void {
    const count = this.#rows?.count ?? 0;
    const page = Math.max(1, Math.floor(this.#grid.clientHeight / ROW_PX) - 2);
    const at = this.#selected;
    const moves: Record<string, number> = {
      ...{ ArrowDown: at + 1, ArrowUp: at < 0 ? 0 : at - 1, PageDown: at + page, PageUp: at - page },
      ...{ Home: 0, End: count - 1 },
    };
    const to = moves[event.key];
    if (to === undefined || count === 0) return;
    event.preventDefault();
    this.#choose(Math.min(Math.max(to, 0), count - 1));
  }

  #choose(index: number): void {
    this.#selected = index;
    this.#bringIntoSight(index);
    this.#draw();
    this.#select(index);
  }

  /** The head sticks to the top of the grid and covers what is below it. */
  #bringIntoSight(index: number): void {
    const top = index * ROW_PX;
    const { scrollTop, clientHeight } = this.#grid;
    if (top < scrollTop) this.#grid.scrollTop = top;
    else if (top + 2 * ROW_PX > scrollTop + clientHeight) this.#grid.scrollTop = top + 2 * ROW_PX - clientHeight;
  }
}
