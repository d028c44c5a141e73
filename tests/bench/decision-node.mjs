// node decision-node.mjs LISTING: the shipped scanner as a contestant. A fresh process, one decision a line.
import { openEngine } from '../../dist/index.js';
import { loadNative, ProcScanner } from '../../dist/linux.js';
import { cpuUs, serve } from './support.mjs';

const engine = await openEngine();
// As a guard does: libc's own calls where koffi is installed.
const { native } = await loadNative();
const scanner = new ProcScanner(engine, { listing: process.argv[2], ...(native ? { files: native.files } : {}) });
await serve(() => {
  const began = cpuUs();
  const { tasks, listed, refined, scoreUs, selectUs } = scanner.decide();
  const us = cpuUs() - began;
  return { us, tasks, listed, refined, engineUs: scoreUs + selectUs, descriptors: scanner.kernelCost.descriptors };
});
