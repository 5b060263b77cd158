import { expect, it } from 'vitest';
import type { LeadImport } from '../api/types';
import { FakeServer, settled } from '../testing/server';
import { ImportRun } from './lead_import.svelte';

it('an import that was left is found again, and goes on from where it is', async () => {
  const left = {
    id: '8',
    kind: 'leads',
    state: 'checked',
    mapping: ['phone', 'field:city'],
    options: { known: 'leave', tags: ['expo'] },
  } as unknown as LeadImport;
  const other = { ...left, id: '9', kind: 'suppressions' };
  const server = new FakeServer();
  server.on('GET /leads/imports', () => ({ items: [other, left], next: null }));
  server.on('GET /leads/imports/8', () => left);
  const run = new ImportRun(server.live, 'leads');
  const end = run.follow();
  await settled();
  expect([run.shown, run.last.map((one) => one.id)]).toEqual([null, ['8']]);
  run.goOn(run.last[0]!);
  await settled();
  expect([run.shown?.state, run.mapping, run.known, run.tags]).toEqual([
    'checked',
    ['phone', 'field:city'],
    'leave',
    ['expo'],
  ]);
  end();
});
