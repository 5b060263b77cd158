import { expect, it } from 'vitest';
import { Selection } from './selection.svelte';

const SHOWN = ['a', 'b', 'c', 'd', 'e'];

it('a range goes from the row chosen last, in either direction, and can be let go of', () => {
  const selection = new Selection();
  selection.set('d', true);
  selection.setRange('b', true, SHOWN);
  expect([...selection.ids].sort()).toEqual(['b', 'c', 'd']);
  selection.setRange('c', false, SHOWN);
  expect([...selection.ids]).toEqual(['d']);
});

it('a range whose start is not shown any more is one row', () => {
  const selection = new Selection();
  selection.set('gone', true);
  selection.setRange('c', true, SHOWN);
  expect([...selection.ids]).toEqual(['gone', 'c']);
  const fresh = new Selection();
  fresh.setRange('c', true, SHOWN);
  expect([...fresh.ids]).toEqual(['c']);
});

it('all are chosen and let go of without those that are not shown', () => {
  const selection = new Selection();
  selection.set('hidden', true);
  selection.setAll(SHOWN, true);
  expect(selection.ids.size).toBe(6);
  selection.setAll(SHOWN, false);
  expect([...selection.ids]).toEqual(['hidden']);
  selection.keep((id) => id !== 'hidden');
  expect(selection.ids.size).toBe(0);
});
