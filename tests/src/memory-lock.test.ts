/** Stage: none (tests). What a guard keeps in memory of its program: src/linux/memory-lock.ts. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadNative } from '../../src/linux/index.js';
import { cleanMappings } from '../../src/linux/memory-lock.js';

const mapping = (head: string, anonymousKib: number, swapKib: number) => `${head}
Size:               8192 kB
Rss:                4096 kB
Anonymous:      ${String(anonymousKib).padStart(8)} kB
KSM:                   0 kB
Swap:           ${String(swapKib).padStart(8)} kB
SwapPss:               0 kB
VmFlags: rd ex mr mw me sd
`;

test('memory lock: only mappings of files that nothing was written into leave memory', () => {
  const smaps = [
    mapping('00400000-00b6f000 r--p 00000000 fe:00 260689                             /usr/bin/node', 0, 0),
    mapping('00b72000-025fe000 r-xp 00772000 fe:00 260689                             /usr/bin/node', 0, 0),
    mapping('0563a000-0563d000 r--p 05239000 fe:00 260689                             /usr/bin/node', 12, 0),
    mapping('0563d000-05655000 r--p 0523c000 fe:00 260689                             /usr/bin/node', 0, 4),
    mapping('05655000-05656000 rw-p 05254000 fe:00 260689                             /usr/bin/node', 0, 0),
    mapping('1d6e8000-1d900000 r--p 00000000 00:00 0 ', 0, 0),
    mapping('7fd29a844000-7fd29a99a000 r--p 00026000 fe:00 339380                     /usr/lib/libc.so.6', 0, 0),
  ].join('');
  const node = '/usr/bin/node';
  assert.deepEqual(cleanMappings(smaps), [
    { address: 0x00400000, bytes: 0x00b6f000 - 0x00400000, offset: 0, path: node },
    { address: 0x00b72000, bytes: 0x025fe000 - 0x00b72000, offset: 0x00772000, path: node },
    { address: 0x7fd29a844000, bytes: 0x7fd29a99a000 - 0x7fd29a844000, offset: 0x26000, path: '/usr/lib/libc.so.6' },
  ]);
});

/** KiB of files that are resident in a process which has said its first word. */
async function programKib(args: readonly string[]): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    await once(child.stdout!, 'data');
    return Number(/^RssFile:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))![1]);
  } finally {
    child.kill('SIGKILL');
  }
}

test('memory lock: a guard keeps less of its runtime than a program that does nothing', async (t) => {
  const { native, reason } = await loadNative();
  if (!native) return t.skip(reason ?? '');
  const idle = await programKib(['-e', 'console.log(1); setInterval(() => {}, 1000)']);
  const guard = await programKib(['dist/cli.js', 'guard', '--control', 'none']);
  assert.ok(guard < idle, `guard ${guard} KiB, Node alone ${idle} KiB`);
});
