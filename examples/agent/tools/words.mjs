// A tool as they should be: counts the words of its own text.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const text = readFileSync(fileURLToPath(import.meta.url), 'utf8');
console.log(`${text.split(/\s+/).filter(Boolean).length} words`);
