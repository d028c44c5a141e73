/**
 * The playground for pages and programs of others: its files are served from `badness/playground/*`, and this makes links into it.
 *
 * @module badness/playground
 */
export { playgroundLink, type Shown } from './embed.js';
