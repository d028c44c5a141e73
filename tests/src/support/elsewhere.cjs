// Preloaded by tests: the process is told that it runs on the platform named in ELSEWHERE, and finds no file below /proc and /sys.
// Paths that it asked for there are in globalThis.missed.
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');

Object.defineProperty(process, 'platform', { value: process.env.ELSEWHERE });
globalThis.missed = [];
// Windows has no ids of users.
if (process.platform === 'win32')
  for (const name of ['getuid', 'geteuid', 'getgid', 'getegid', 'getgroups']) delete process[name];

const CALLS = [
  'openSync',
  'readFileSync',
  'readdirSync',
  'opendirSync',
  'statSync',
  'lstatSync',
  'readlinkSync',
  'accessSync',
];
for (const name of CALLS) {
  const call = fs[name];
  fs[name] = (path, ...rest) => {
    if (!/^\/(proc|sys)(\/|$)/.test(String(path))) return call(path, ...rest);
    globalThis.missed.push(String(path));
    throw Object.assign(new Error(`ENOENT: no such file or directory, ${name} '${path}'`), { code: 'ENOENT' });
  };
}
syncBuiltinESMExports();
