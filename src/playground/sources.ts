/** Stage: bytes → table, for a page. Tells what was brought in, and makes a story of it. */
import type { Scoring } from '../cli/words.js';
import type { Engine } from '../index.js';
import type { Policy } from '../policy/index.js';
import type { Source, Story } from './story.js';

/** Where an engine is lent from. */
export interface EngineRoom {
  engineFor(tasks: number): Promise<Engine>;
}

/** The keys that first lines of task records begin with; a journal in JSON has none of them. */
const TASK_LINE = /^\s*\{[^\n]{0,2000}"(?:tgid|schema|page_size)"\s*:/;

/** The first line of a recording that says something: comments may stand above it. */
const RECORDING_LINE = /^(?:#[^\n]*\n|\s)*badness-recording /;

function textOf(source: Exclude<Source, { kind: 'scenario' }>): string {
  if (source.kind === 'text') return source.text;
  // Only as much as it takes to tell what it is.
  return new TextDecoder().decode(source.bytes.slice(0, 4096));
}

function wholeText(source: Exclude<Source, { kind: 'scenario' }>): string {
  return source.kind === 'text' ? source.text : new TextDecoder().decode(source.bytes);
}

/** The story of what was brought in. Each kind is loaded when it is met first. Rejects when there is nothing to show in it. */
export async function storyOf(
  source: Source,
  room: EngineRoom,
  policy: Policy | null,
  scoring: Scoring,
): Promise<Story> {
  if (source.kind === 'scenario') {
    const { scenarioStory } = await import('./scenario-story.js');
    return scenarioStory(source.scenario, policy, scoring);
  }
  if (RECORDING_LINE.test(textOf(source))) {
    const { recordStory } = await import('./record-story.js');
    return recordStory(wholeText(source), room);
  }
  if (TASK_LINE.test(textOf(source))) {
    const { tasksStory } = await import('./tasks-story.js');
    return tasksStory(source.name, wholeText(source));
  }
  const { logStory } = await import('./log-story.js');
  return logStory(source.name, source.kind === 'text' ? source.text : source.bytes, room);
}
