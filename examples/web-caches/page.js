// A page with three caches under one budget of 32 MiB. When it runs short the one is asked that is worst, and gives its oldest entries back.
import { definePolicy } from 'badness/policy';
import { guardRegistered, TaskRegistry } from 'badness/registered';

const MIB = 2 ** 20;
const BUDGET_MIB = 32;
const at = (id) => document.getElementById(id);
const registry = new TaskRegistry();

class Cache {
  bytes = 0;
  #entries = [];

  constructor(name, isProtected = false) {
    this.name = name;
    this.cell = at('caches').insertRow();
    this.cell.insertCell().textContent = name;
    this.cell.insertCell().textContent = '0';
    registry.register({ name, memory: () => this.bytes, shed: (ask) => this.shed(ask), protected: isProtected });
  }

  add(mib) {
    this.#entries.push(new Uint8Array(mib * MIB));
    this.bytes += mib * MIB;
    this.show();
  }

  /** The oldest first, as much as is needed; when asked hard, everything. */
  shed({ hard, neededBytes }) {
    const before = this.bytes;
    while (this.#entries.length > 0 && (hard || before - this.bytes < neededBytes)) {
      this.bytes -= this.#entries.shift().byteLength;
    }
    this.show();
    return before - this.bytes;
  }

  show() {
    this.cell.cells[1].textContent = String(this.bytes / MIB);
  }
}

const photos = new Cache('photos');
const thumbnails = new Cache('thumbnails');
// What cannot be fetched again is counted, and never asked for.
const history = new Cache('undo history', true);

function say(text) {
  at('log').appendChild(document.createElement('li')).textContent = text;
}

await guardRegistered({
  policy: definePolicy({ enforce: true, domain: { registered: 'caches', budget: BUDGET_MIB * MIB } }),
  registry,
  tell(event) {
    if (event.kind !== 'round') return;
    const { victim, outcome, freedBytes } = event.report;
    say(`${victim?.comm ?? 'nobody'} ${outcome}: ${(freedBytes ?? 0) / MIB} MiB back`);
  },
});

at('photo').addEventListener('click', () => {
  photos.add(4);
  thumbnails.add(1);
});
at('edit').addEventListener('click', () => history.add(2));
say('guarded');
