import { expect, it } from 'vitest';
import type { Label } from '../api/types';
import { FakeServer, settled } from '../testing/server';
import { Labels } from './labels.svelte';

it('knows every label, however many there are', async () => {
  const label = (id: string): Label => ({ id, name: `Label ${id}`, colour: 'teal' });
  const server = new FakeServer().on('GET /labels', (_, url) =>
    url.searchParams.get('after') === 'p2' ? { items: [label('1')], next: null } : { items: [label('2')], next: 'p2' },
  );
  const labels = new Labels(server.live);
  const end = labels.follow();
  await settled();
  expect(labels.list.map((one) => one.id)).toEqual(['1', '2']);
  end();
});
