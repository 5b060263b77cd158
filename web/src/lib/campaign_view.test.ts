import { expect, it } from 'vitest';
import type { Campaign } from '../api/types';
import { FakeServer, settled } from '../testing/server';
import { CampaignView } from './campaign_view.svelte';

it('shows what a frame said while the answer to a decision was under way', async () => {
  const campaign = (state: Campaign['state']): Campaign => ({ id: '7', state, counts: { total: 0 } }) as Campaign;
  const server = new FakeServer().on('GET /campaigns/7', () => campaign('running'));
  const view = new CampaignView('7', server.live);
  const end = view.follow();
  await settled();
  server.on('POST /campaigns/7/pause', () => {
    server.frame('CAMPAIGN_UPDATE', campaign('finished'));
    return campaign('paused');
  });
  await view.decide('pause');
  expect(view.campaign?.state).toBe('finished');
  end();
});
