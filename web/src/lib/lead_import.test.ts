import { expect, it } from 'vitest';
import type { LeadImport } from '../api/types';
import { FakeServer, settled } from '../testing/server';
import { CurrentImport, ImportRun, progressOf, progressWords } from './lead_import.svelte';

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

it('the import at work is known, whoever began it, until its end', async () => {
  const server = new FakeServer();
  let state: LeadImport['state'] = 'done';
  const one = () => ({ id: '8', kind: 'leads', state, read: 500, written: 0, rows: 1200 }) as unknown as LeadImport;
  server.on('GET /leads/imports', () => ({ items: [{ ...one(), kind: 'suppressions' }, one()], next: null }));
  const ends: string[] = [];
  const current = new CurrentImport(server.live, 'leads', (ended) => ends.push(ended.state));
  const leave = current.follow();
  const told = async (now: LeadImport['state']): Promise<[string | undefined, string]> => {
    state = now;
    server.frame('IMPORT_UPDATE', { id: '8' });
    await settled();
    return [current.shown?.state, ends.join()];
  };
  await settled();
  expect(current.shown).toBeNull();
  expect(await told('checking')).toEqual(['checking', '']);
  expect(await told('running')).toEqual(['running', '']);
  expect(progressOf(current.shown!)).toEqual({ value: 500, max: 1200 });
  expect(await told('done')).toEqual([undefined, 'done']);
  leave();
});

it('a bar and its words say the same of the rows', () => {
  const told = (state: LeadImport['state'], read: number, written: number, rows: number | null = 1200) => {
    const shown = { state, read, written, rows } as unknown as LeadImport;
    return [progressOf(shown), progressWords(shown)];
  };
  expect(told('checking', 500, 0, null)).toEqual([{}, '500 rows']);
  expect(told('running', 500, 0)).toEqual([{ value: 500, max: 1200 }, '500 of 1,200']);
  expect(told('running', 1200, 300)).toEqual([{ value: 300, max: 1200 }, '300 of 1,200']);
});
