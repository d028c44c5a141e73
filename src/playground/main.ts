/** Stage: none (start of a page). Opens the desk, loads the scenarios, and shows what the link says or the first scenario. */
import type { ScenarioFile } from './bring-view.js';
import { openDesk } from './desk-client.js';
import { byId, write } from './elements.js';
import { decodeLink } from './link.js';
import { Page } from './page.js';

/** What the page shows to who comes without a link. */
const FIRST_SCENARIO = 'browser-renderers';

async function loadScenarios(): Promise<Map<string, ScenarioFile>> {
  const scenarios = (await (await fetch('scenarios.json')).json()) as ScenarioFile[];
  return new Map(scenarios.map((scenario) => [scenario.name, scenario]));
}

function complain(error: unknown): void {
  const problem = byId('problem', HTMLElement);
  problem.hidden = false;
  write(problem, error instanceof Error ? error.message : String(error));
}

/** Shows what the address says. False when that is nothing. */
async function follow(page: Page): Promise<boolean> {
  const state = await decodeLink(location.hash);
  if (state === null) return false;
  await page.restore(state);
  return state.source !== null;
}

async function start(): Promise<void> {
  const [desk, scenarios] = await Promise.all([openDesk(), loadScenarios()]);
  const page = new Page(desk, scenarios);
  addEventListener('hashchange', () => void follow(page).catch(complain));
  const isLinked = await follow(page).catch((error) => {
    complain(error);
    return true;
  });
  if (!isLinked) await page.bringScenario(FIRST_SCENARIO);
}

start().catch(complain);
