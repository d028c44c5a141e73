/** Where an agent keeps its files: guards of two domains never share them. */
import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { fleetFolder } from '../../../src/fleet/live/start-fleet.js';
import type { FleetSettings, PolicyInput } from '../../../src/policy/index.js';

const settings = { folder: '/f' } as FleetSettings;
const folder = (domain?: PolicyInput['domain']) => fleetFolder(settings, domain === undefined ? {} : { domain }, {});

test('fleet folder: each domain has one of its own, whatever its name, as short as a file may be called', () => {
  const slice = '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0123456789abcdef.slice';
  const domains: PolicyInput['domain'][] = [
    undefined,
    'system',
    { memcg: '/a' },
    { memcg: '/A' },
    { memcg: `${slice}/a` },
    { memcg: `${slice}/b` },
  ];
  const folders = [...domains, { memcg: `/${'ä'.repeat(200)}` }].map((domain) => folder(domain));
  assert.deepEqual(folders.slice(0, 2), ['/f/auto', '/f/system']);
  assert.equal(new Set(folders).size, folders.length);
  for (const path of folders) assert.ok(Buffer.byteLength(basename(path)) <= 255, path);
});
