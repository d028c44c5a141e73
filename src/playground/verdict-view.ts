/** Stage: report (in a page). Who would go, in one line that can be read from far away, and what the kernel did. */

import { counted, grouped, memory } from '../cli/quantities.js';
import type { Scoring } from '../cli/words.js';
import { byId, write } from './elements.js';
import { nameOf } from './names.js';
import type { Shown } from './shown.js';
import type { NamedTask } from './story.js';

function named({ comm, tgid }: NamedTask): string {
  return `${nameOf({ comm })} ${tgid}`;
}

/** What the kernel chose, against what is chosen now. */
function kernelWords({ moment, ranked, count }: Shown, { scheme }: Scoring): string {
  const { kernelChose, kernelKilledChild, tasks } = moment;
  if (!kernelChose) return '';
  const instead = kernelKilledChild ? ` It killed ${named(kernelKilledChild)} in its place.` : '';
  const kernels = named(kernelChose);
  if (count === 0) return `The kernel chose ${kernels}. The log has no table of tasks: nobody can be ranked.${instead}`;
  const isSame = tasks[ranked.victim]?.tgid === kernelChose.tgid;
  return `${isSame ? `As the kernel did: it chose ${kernels}.` : `The kernel chose ${kernels}; ${scheme} would not.`}${instead}`;
}

function nobody({ ranked, count, moment }: Shown, scheme: string): { name: string; facts: string } {
  if (count === 0) {
    const { kernelChose } = moment;
    return { name: kernelChose ? nameOf(kernelChose) : 'nobody', facts: 'There is no table to be ranked.' };
  }
  if (ranked.outcome === 'in-flight') {
    return { name: 'nobody yet', facts: `${scheme} would wait for a task that is dying already.` };
  }
  return { name: 'nobody', facts: 'No task may be chosen.' };
}

export class VerdictView {
  readonly #name = byId('victim', HTMLElement);
  readonly #pid = byId('victim-pid', HTMLElement);
  readonly #facts = byId('verdict-facts', HTMLElement);
  readonly #kernel = byId('kernel-says', HTMLElement);
  readonly #announce = byId('announce', HTMLElement);
  #timer: ReturnType<typeof setTimeout> | undefined;

  show(shown: Shown, scoring: Scoring): void {
    const { ranked, eligible, count, pageSize } = shown;
    const { scheme } = scoring;
    if (ranked.victim < 0) {
      const { name, facts } = nobody(shown, scheme);
      write(this.#name, name);
      write(this.#pid, '');
      write(this.#facts, facts);
    } else {
      const task = shown.taskIn(ranked.victim);
      write(this.#name, nameOf(task));
      write(this.#pid, String(task.tgid));
      const points = task.points === null ? '' : `${grouped(task.points)} points by ${scheme}, `;
      const may = eligible === count ? counted(count, 'task') : `${grouped(eligible)} of ${counted(count, 'task')}`;
      write(this.#facts, `${points}gives back ${memory(task.chargePages * pageSize)}. ${may} could be chosen.`);
    }
    write(this.#kernel, kernelWords(shown, scoring));
    this.#tell(`Next victim: ${this.#name.textContent} ${this.#pid.textContent}`);
  }

  /** Read out once it stays the same for a moment: a slider under way would talk without end. */
  #tell(words: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => write(this.#announce, words), 600);
  }
}
