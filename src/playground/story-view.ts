/** Stage: report (in a page). What a story says besides its tables: the events of a log, their facts, who was killed. */
import { counted, duration, memory } from '../cli/quantities.js';
import { byId, element } from './elements.js';
import { nameOf } from './names.js';
import type { Kill, Moment, StoryHead } from './story.js';

const KILLS_SHOWN = 50;
const EVENTS_SHOWN = 200;

function killLine({ atS, by, tgid, comm, bytes, culprit }: Kill): HTMLElement {
  const right = culprit === null ? '' : culprit ? ', rightly' : ', an innocent';
  const task = `${nameOf({ comm })} ${tgid}`;
  const who = by === 'parent' ? `${task} went with its parent` : `the ${by} killed ${task}`;
  return element('li', {}, element('b', {}, `${atS.toFixed(1)} s`), ` ${who}, which held ${memory(bytes)}${right}`);
}

export class StoryView {
  readonly #events = byId('events', HTMLElement);
  readonly #facts = byId('facts', HTMLElement);
  readonly #kills = byId('kills', HTMLElement);
  readonly #notes = byId('story-notes', HTMLElement);

  constructor(choose: (moment: number) => void) {
    this.#events.addEventListener('click', ({ target }) => {
      const button = target instanceof Element ? target.closest<HTMLElement>('[data-moment]') : null;
      if (button) choose(Number(button.dataset.moment));
    });
  }

  show(head: StoryHead): void {
    const isLog = head.kind === 'log' && head.moments.length > 1;
    this.#events.hidden = !isLog;
    const labels = isLog ? head.moments.slice(0, EVENTS_SHOWN) : [];
    const buttons = labels.map((label, index) =>
      element('button', { type: 'button', 'data-moment': String(index) }, label),
    );
    this.#events.replaceChildren(...buttons);
    const kills = head.kills.slice(0, KILLS_SHOWN).map(killLine);
    const more = head.kills.length - kills.length;
    if (more > 0) kills.push(element('li', {}, `and ${more} more`));
    this.#kills.hidden = kills.length === 0;
    this.#kills.replaceChildren(...kills);
    this.#notes.replaceChildren(...head.notes.map((note) => element('p', {}, note)));
  }

  showMoment(moment: number, { facts, machine, tasks }: Moment): void {
    for (const button of this.#events.querySelectorAll<HTMLElement>('[data-moment]')) {
      button.setAttribute('aria-pressed', String(button.dataset.moment === String(moment)));
    }
    const total = machine.totalPages * machine.pageSize;
    const up = machine.uptimeS > 0 ? `, up ${duration(machine.uptimeS)}` : '';
    const size = total > 0 ? `${memory(total)} of memory and swap${up}, ` : '';
    const own = { label: 'machine', text: `${size}${counted(tasks.length, 'task')}` };
    const rows = [...facts, own].flatMap(({ label, text }) => [element('dt', {}, label), element('dd', {}, text)]);
    this.#facts.replaceChildren(...rows);
  }
}
