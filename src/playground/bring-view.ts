/** Stage: none (input of a page). The three ways in: a scenario, a kernel log, a recording; pasted, opened or dropped. */
import { byId, element, write } from './elements.js';
import type { Source } from './story.js';

/** Largest file that is read. */
const FILE_MAX = 256 * 1024 * 1024;
const TABS = ['scenario', 'log', 'recording'] as const;
export type Tab = (typeof TABS)[number];

/** A scenario that comes with the page. */
export interface ScenarioFile {
  readonly name: string;
  readonly about: string;
}

const EXAMPLE_LOG = `[1445.781] httpd invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=0
[1445.782] Free swap  = 0kB
[1445.782] Total swap = 2097148kB
[1445.782] 2097152 pages RAM
[1445.782] 41822 pages reserved
[1445.782] Tasks state (memory values in pages):
[1445.782] [  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name
[1445.782] [    412]     0   412     9000      512      128      384         0        98304      210         -1000 sshd
[1445.782] [    501]  1000   501   719076   461234   456000     5234         0      4096000     1200             0 java
[1445.782] [    777]   110   777   533000   390100    12000     4100    374000      3276800     8800          -900 postgres
[1445.782] [   2048]    33  2048   120000    99001    98000     1001         0       860160        0           100 php-fpm
[1445.782] [   3110]  1000  3110   250000   151000   150000     1000         0      1310720      400             0 node
[1445.782] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/user.slice,task=java,pid=501,uid=1000
[1445.782] Out of memory: Killed process 501 (java) total-vm:2876304kB, anon-rss:1824000kB, file-rss:20936kB, shmem-rss:0kB, UID:1000 pgtables:4000kB oom_score_adj:0
`;

function tabOf(name: Tab): HTMLButtonElement {
  return byId(`tab-${name}`, HTMLButtonElement);
}

export class BringView {
  readonly #bring: (source: Source) => void;
  readonly #runScenario: (name: string) => void;
  readonly #file = byId('file', HTMLInputElement);
  readonly #log = byId('log', HTMLTextAreaElement);
  readonly #scenario = byId('scenario', HTMLSelectElement);
  readonly #problem = byId('problem', HTMLElement);
  #scenarios: readonly ScenarioFile[] = [];

  /** `bring` is called with what was pasted, opened or dropped, `runScenario` with the name of one that is to run. */
  constructor(bring: (source: Source) => void, runScenario: (name: string) => void) {
    this.#bring = bring;
    this.#runScenario = runScenario;
    this.#bindTabs();
    this.#bindButtons();
    this.#bindDrop();
  }

  showScenarios(scenarios: readonly ScenarioFile[]): void {
    this.#scenarios = scenarios;
    this.#scenario.replaceChildren(...scenarios.map(({ name }) => element('option', { value: name }, name)));
    this.#tellAbout();
  }

  /** What is wrong with what was brought in; an empty text for nothing. */
  complain(text: string): void {
    this.#problem.hidden = text === '';
    write(this.#problem, text);
  }

  /** Shows what was brought in by a link. */
  reflect(tab: Tab, text: string): void {
    this.choose(tab);
    if (tab === 'log') this.#log.value = text;
    if (tab === 'scenario') this.#scenario.value = text;
    this.#tellAbout();
  }

  choose(tab: Tab): void {
    for (const name of TABS) {
      const isChosen = name === tab;
      tabOf(name).setAttribute('aria-selected', String(isChosen));
      tabOf(name).tabIndex = isChosen ? 0 : -1;
      byId(`panel-${name}`, HTMLElement).hidden = !isChosen;
    }
  }

  #tellAbout(): void {
    const chosen = this.#scenarios.find(({ name }) => name === this.#scenario.value);
    write(byId('scenario-about', HTMLElement), chosen?.about ?? '');
  }

  #bindTabs(): void {
    for (const [index, name] of TABS.entries()) {
      tabOf(name).addEventListener('click', () => this.choose(name));
      tabOf(name).addEventListener('keydown', ({ key }) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
        if (step === undefined) return;
        const next = TABS[(index + step + TABS.length) % TABS.length]!;
        this.choose(next);
        tabOf(next).focus();
      });
    }
  }

  #bindButtons(): void {
    const on = (id: string, run: () => void) => byId(id, HTMLButtonElement).addEventListener('click', run);
    this.#scenario.addEventListener('change', () => this.#tellAbout());
    on('run-scenario', () => this.#runScenario(this.#scenario.value));
    on('read-log', () => this.#readText());
    on('example-log', () => {
      this.#log.value = EXAMPLE_LOG;
      this.#readText();
    });
    for (const id of ['open-log', 'open-recording']) on(id, () => this.#file.click());
    this.#file.addEventListener('change', () => {
      const [file] = this.#file.files ?? [];
      if (file) void this.#readFile(file);
      this.#file.value = '';
    });
    // What is pasted as a whole is meant to be read at once.
    this.#log.addEventListener('paste', () => setTimeout(() => this.#readText()));
  }

  #bindDrop(): void {
    addEventListener('dragover', (event) => {
      event.preventDefault();
      document.body.classList.add('dropping');
    });
    addEventListener('dragleave', ({ relatedTarget }) => {
      if (relatedTarget === null) document.body.classList.remove('dropping');
    });
    addEventListener('drop', (event) => {
      event.preventDefault();
      document.body.classList.remove('dropping');
      const [file] = event.dataTransfer?.files ?? [];
      const text = event.dataTransfer?.getData('text/plain') ?? '';
      if (file) void this.#readFile(file);
      else if (text !== '') this.#bring({ kind: 'text', name: 'what was dropped', text });
    });
  }

  #readText(): void {
    const text = this.#log.value;
    if (text.trim() === '') this.complain('Expected a kernel log or task records, got nothing: paste some text first.');
    else this.#bring({ kind: 'text', name: 'what was pasted', text });
  }

  async #readFile(file: File): Promise<void> {
    if (file.size > FILE_MAX) {
      this.complain(`Expected a file of at most 256 MiB, got ${file.size} bytes: cut the part you want to see.`);
      return;
    }
    try {
      this.#bring({ kind: 'bytes', name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) });
    } catch (error) {
      this.complain(`${file.name} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
