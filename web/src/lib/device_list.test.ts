import { describe, expect, it } from 'vitest';
import type { Device } from '../api/types';
import { device } from '../testing/samples';
import { FakeServer, settled } from '../testing/server';
import { counted, fitting, kept, listed, passes, STATES, type Wish } from './device_list';
import { Devices } from './devices.svelte';

const EVERYTHING: Wish = { search: '', filter: 'all', tag: '', order: 'name' };

async function of(items: Device[]): Promise<Devices> {
  const devices = new Devices(new FakeServer().on('GET /devices', () => ({ items, next: null })).live);
  await devices.load();
  await settled();
  return devices;
}

describe('fitting', () => {
  const line = device({ id: 'a', name: 'Sales KL 1', tags: ['vip'] });
  it.each([
    ['sales', true],
    ['kl 1', true],
    ['VIP', true],
    ['012-345 6789', true],
    ['+60 12', true],
    ['penang', false],
    ['', true],
  ])('%j: %s', (search, expected) => expect(fitting(search)(line)).toBe(expected));
});

it('every state falls under one group, under itself and under all', () => {
  for (const state of STATES) {
    const groups = (['online', 'waiting', 'attention'] as const).filter((group) => passes(state, group));
    expect(groups).toHaveLength(1);
    expect(passes(state, state) && passes(state, 'all')).toBe(true);
  }
  expect(counted({ online: 5, banned: 2, logged_out: 1 }, 'attention')).toBe(3);
  expect(counted({ online: 5, banned: 2, logged_out: 1 }, 'banned')).toBe(2);
});

describe('listed', () => {
  it('takes state, tag in any case and words together', async () => {
    const devices = await of([
      device({ id: 'a', name: 'North 1', state: 'banned', tags: ['Sales'] }),
      device({ id: 'b', name: 'North 2', state: 'banned', tags: ['sales team'] }),
      device({ id: 'c', name: 'North 3', state: 'online', tags: ['sales'] }),
      device({ id: 'd', name: 'South', state: 'banned', tags: ['sales'] }),
    ]);
    expect(listed(devices, { ...EVERYTHING, search: 'north', filter: 'banned', tag: 'sales' })).toEqual(['a']);
    expect(listed(devices, { ...EVERYTHING, filter: 'attention' })).toEqual(['a', 'b', 'd']);
  });

  it('orders by state with what needs a person first, and by name within', async () => {
    const devices = await of([
      device({ id: 'a', name: '4', state: 'online' }),
      device({ id: 'b', name: '3', state: 'banned' }),
      device({ id: 'c', name: '2', state: 'offline' }),
      device({ id: 'd', name: '1', state: 'banned' }),
    ]);
    expect(listed(devices, { ...EVERYTHING, order: 'state' })).toEqual(['d', 'b', 'c', 'a']);
  });
});

it('a list that came out the same stays the same object', () => {
  const before = ['a', 'b'];
  expect(kept(before, ['a', 'b'])).toBe(before);
  expect(kept(before, ['b', 'a'])).toEqual(['b', 'a']);
  expect(kept(before, ['a'])).toEqual(['a']);
});
