/** Stage: report (in a page). Building blocks of the document. Names of tasks are hostile: text only ever becomes text. */

type Child = Node | string;

/** An element with attributes and children; a string is text, whatever it looks like. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The element with this id, which the page has. */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`expected a ${kind.name} with id ${id} in the page`);
  return found;
}

/** Changes the text only when it is another: a status that is written again is read out again. */
export function write(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}
