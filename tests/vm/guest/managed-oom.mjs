// Stands in for systemd where systemd-oomd asks it whom to watch (the Varlink interface io.systemd.ManagedOOM): the group that is named, as a user's
// service is with Debian's drop-ins, and the root slice for swap.
import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';

const SOCKET = '/run/systemd/io.system.ManagedOOM';
const PRESSURE_LIMIT = Math.round(0.5 * 0xffffffff);

const cgroups = [
  { mode: 'kill', path: process.argv[2], property: 'ManagedOOMMemoryPressure', limit: PRESSURE_LIMIT },
  { mode: 'kill', path: '/', property: 'ManagedOOMSwap' },
];
const answer = `${JSON.stringify({ parameters: { cgroups }, continues: true })}\0`;

mkdirSync('/run/systemd', { recursive: true });
rmSync(SOCKET, { force: true });
createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', () => {
    console.log('asked');
    socket.write(answer);
  });
}).listen(SOCKET, () => console.log('ready'));
