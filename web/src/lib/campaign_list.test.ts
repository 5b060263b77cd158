import { expect, it } from 'vitest';
import type { Campaign } from '../api/types';
import { FakeServer, settled } from '../testing/server';
import { CampaignList } from './campaign_list.svelte';

it('has nothing of what was looked for before', async () => {
  let answer: (value: unknown) => void = () => undefined;
  const server = new FakeServer().on('GET /campaigns', (_, url) => {
    if (url.searchParams.has('after')) return new Promise((resolve) => (answer = resolve));
    return { items: [{ id: url.searchParams.get('search') ?? '9' }], next: '9' };
  });
  const list = new CampaignList(server.live);
  const end = list.follow();
  await settled();
  const more = list.more();
  await settled();
  list.search = '5';
  server.on('GET /campaigns', () => ({ items: [{ id: '5' }], next: null }));
  await list.load();
  answer({ items: [{ id: '8' }], next: null });
  await more;
  expect(list.items?.map((one) => one.id)).toEqual(['5']);
  end();
});

it('keeps what a frame said of older ones while they were fetched', async () => {
  const server = new FakeServer().on('GET /campaigns', (_, url) => {
    if (!url.searchParams.has('after')) return { items: [{ id: '9' }], next: '9' };
    server.frame('CAMPAIGN_UPDATE', { id: '8', name: 'Raya', state: 'finished' } as Campaign);
    return { items: [{ id: '8', state: 'running' }], next: null };
  });
  const list = new CampaignList(server.live);
  const end = list.follow();
  await settled();
  await list.more();
  expect(list.items?.at(-1)?.state).toBe('finished');
  end();
});
