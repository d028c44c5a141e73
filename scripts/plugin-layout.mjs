// Writes the layout of plug-ins where it is shown: the table in docs/plugins.md, the constants of the template. From src/plugin/layout.ts, as built.
import { readFileSync, writeFileSync } from 'node:fs';
import { layoutConstants, layoutTable } from '../dist/plugins.js';

const PAGE = 'docs/plugins.md';
const CONSTANTS = 'examples/scheme-assemblyscript/layout.ts';

const page = readFileSync(PAGE, 'utf8');
const table = `${layoutTable().join('\n')}\n`;
writeFileSync(PAGE, page.replace(/\| at \| what \|[\s\S]*?\n(?!\|)/, table));
writeFileSync(CONSTANTS, `${layoutConstants().join('\n')}\n`);
