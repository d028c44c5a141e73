/** Recordings of strangers: refused by line, or read as a machine: memory, tasks, rules, and whom a policy takes. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { BadnessError } from '../../../src/errors.js';
import { openEngine } from '../../../src/index.js';
import { definePolicy } from '../../../src/policy/index.js';
import {
  openRecordedChooser,
  parseRecording,
  RecordedFiles,
  RecordedMemory,
  recordedTexts,
  tasksRecorded,
} from '../../../src/recording/index.js';
import { recordingText } from '../../src/support/recordings.js';
import { inputOf, rangeRefusal, refusal, shapeOf, type Target, textOf } from '../target.js';

const TASKS_MOST = 1024;
const engine = await openEngine({ maxTasks: TASKS_MOST });
const policy = definePolicy({
  rules: [
    { comm: 'x*', class: 'first' },
    { cgroup: '/a/*', times: '1/2' },
  ],
});

/** The first lines of a real one: a whole one is longer than an input may be. */
const beginning = (path: string, lines: number) =>
  `${readFileSync(path, 'utf8').split('\n').slice(0, lines).join('\n')}\nend\n`;
const RECORDS = recordingText([
  { monotonicMs: 1, percent: 50, tasks: { a: 100, b: 900 } },
  { monotonicMs: 900, percent: 4, tasks: { a: 100, b: 1900 }, decision: true },
]);
const FILES = `badness-recording 1
kernel 6.18
page_size 4096
domain system
user root 0
snapshot monotonic_ms 5 boot_ms 6 wall 2026-11-20T14:17:26.738Z
/proc/meminfo
  MemTotal:       24684084 kB
  MemAvailable:   23394504 kB
  AnonPages:        561588 kB
/proc/uptime
  1804.55 3390.22
/proc/12/stat
  12 (xy) S 1 12 12 0 -1 4194560 100 0 0 0 5 5 0 0 20 0 1 0 1000 4096000 50 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0
/proc/12/status
  Name:\txy
  Uid:\t0\t0\t0\t0
  VmSize:\t    4000 kB
  VmRSS:\t     200 kB
  CapEff:\t0000000000000000
/proc/12/oom_score_adj
  0
/proc/12/cgroup
  0::/a/b
/proc/12/exe -> /usr/bin/x
/proc/12 owner 0
snapshot monotonic_ms 1005
/proc/12 gone
end
`;
const WORDS = [
  ...[
    'snapshot monotonic_ms 7\n',
    'tasks\n',
    'decision\n',
    'members 12 13\n',
    'marks self 12\n',
    'shares 12 13\n',
    'end\n',
    'policy\n',
    'redacted names\n',
  ],
  ...[
    '/proc/12/stat\n',
    '/proc/12 gone\n',
    '/proc/12/exe -> x\n',
    '/proc/meminfo\n',
    '/proc/pressure/memory\n',
    '/proc/12 owner 0\n',
    '/proc gone\n',
  ],
  ...[
    '  ',
    '\t',
    '\\x0a',
    '\\x00',
    '\\',
    '\\-',
    '/..',
    '//',
    '/proc/__proto__/stat\n',
    ' error EACCES\n',
    'domain memcg 2 /g\n',
    'domain measured m 5\n',
  ],
  ...[
    'memory total_kib 1 available_kib 1 basis_kib 1 swap_total_kib 0 swap_free_kib 0\n',
    '#',
    '\n',
    '\r',
    '\xff',
    '  {"tgid":1}\n',
    'user a 1\n',
    'vfork 12\n',
  ],
];

const line = fc.oneof(fc.constantFrom(...WORDS), fc.constantFrom(...FILES.split('\n').map((one) => `${one}\n`)));
const shaped = fc
  .array(line, { maxLength: 30 })
  .map((lines) => `badness-recording 1\nsnapshot monotonic_ms 1\n${lines.join('')}`);

/** What may be refused once the text was read: files that say nonsense, as on a machine. */
function laterRefusal(error: unknown): string {
  if (error instanceof RangeError) return rangeRefusal(error);
  if (error instanceof BadnessError) return refusal(error, 'EBADMSG', 'ENOMEMORY', 'ENOTLINUX', 'ETASKLINE', 'ESCHEMA');
  const { code, message } = error as { code?: string; message: string };
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) throw error;
  return `${code} ${shapeOf(message)}`;
}

async function play(files: RecordedFiles): Promise<string> {
  const answers: string[] = [];
  const attempt = (run: () => string | number) => {
    try {
      answers.push(String(run()));
    } catch (error) {
      answers.push(laterRefusal(error));
    }
  };
  attempt(() => (new RecordedMemory(files).read().totalKib > 0 ? 'memory' : 'none'));
  const texts = recordedTexts(files);
  attempt(() =>
    (['exe', 'cgroup', 'cmdline', 'ancestor'] as const).map((one) => texts.read(12, 12, one)?.length).join(),
  );
  attempt(() => (tasksRecorded(files) > TASKS_MOST ? 'many' : 'few'));
  const chooser = await openRecordedChooser(engine, files, policy);
  attempt(() => `${chooser.choose().outcome}`);
  return answers.join();
}

export const recording: Target = {
  name: 'recording',
  seeds: [
    inputOf(RECORDS),
    inputOf(FILES),
    inputOf(beginning('tests/fixtures/hostile.proc', 90)),
    inputOf(beginning('tests/fixtures/limited-group.proc', 60)),
  ],
  words: WORDS.map(inputOf),
  shaped: shaped.map(inputOf),
  async check(input) {
    let files: RecordedFiles;
    try {
      files = new RecordedFiles(parseRecording(textOf(input)));
    } catch (error) {
      return refusal(error, 'ERECORDING', 'ESCHEMA');
    }
    const first = await play(files);
    const last = files.recording.snapshots.length - 1;
    files.moveTo(last);
    return `${first} ${Math.min(last, 3)} ${last > 0 ? await play(files) : ''}`;
  },
};
