import { expect, it, vi } from 'vitest';
import type { Campaign, Device } from '../api/types';
import { FakeServer, settled } from '../testing/server';
import { CampaignView } from './campaign_view.svelte';

it('looks again when a device goes, as nothing of a campaign moves then', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let standstill: unknown = null;
  const server = new FakeServer()
    .on('GET /campaigns/7', () => ({ id: '7', state: 'running', counts: { total: 1 }, standstill }))
    .on('GET /campaigns/7/report', () => ({}))
    .on('GET /campaigns/7/estimate', () => ({ finishes_at: '2027-03-01T01:30:00Z' }));
  const view = new CampaignView('7', server.live);
  const end = view.follow();
  await vi.waitFor(() => expect(view.finishesAt).toEqual(new Date('2027-03-01T01:30:00Z')));
  standstill = { offline: 1 };
  server.frame('DEVICE_STATUS', { id: 'd1', state: 'offline' } as Device);
  await vi.advanceTimersByTimeAsync(60_000);
  await vi.waitFor(() => expect(view.campaign?.standstill).toEqual({ offline: 1 }));
  expect(view.finishesAt).toBeNull();
  end();
  vi.useRealTimers();
});

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

it('asks for the report at once when it begins or ends, and in between only so often', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  const campaign = (state: Campaign['state'], sent: number): Campaign =>
    ({ id: '7', state, counts: { total: 9, sent } }) as Campaign;
  const server = new FakeServer().on('GET /campaigns/7', () => campaign('planning', 0));
  const asked = (): number => server.calls.filter((call) => call.route === 'GET /campaigns/7/report').length;
  const view = new CampaignView('7', server.live);
  const end = view.follow();
  await vi.waitFor(() => expect(asked()).toBe(1));
  server.frame('CAMPAIGN_UPDATE', campaign('running', 0));
  await vi.advanceTimersByTimeAsync(500);
  expect(asked()).toBe(2);
  for (let sent = 1; sent < 9; sent += 1) server.frame('CAMPAIGN_UPDATE', campaign('running', sent));
  await vi.advanceTimersByTimeAsync(4000);
  expect(asked()).toBe(2);
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked()).toBe(3);
  server.frame('CAMPAIGN_UPDATE', campaign('finished', 9));
  await vi.advanceTimersByTimeAsync(500);
  expect(asked()).toBe(4);
  end();
  vi.useRealTimers();
});

it('notices a device that goes right behind a message, when its report is to be asked for already', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  let standstill: unknown = null;
  const campaign = (): Campaign => ({ id: '7', state: 'running', counts: { total: 9 }, standstill }) as Campaign;
  const server = new FakeServer().on('GET /campaigns/7', campaign).on('GET /campaigns/7/report', () => ({}));
  const view = new CampaignView('7', server.live);
  const end = view.follow();
  await vi.waitFor(() => expect(view.report).not.toBeNull());
  server.frame('CAMPAIGN_UPDATE', campaign());
  standstill = { offline: 1 };
  server.frame('DEVICE_STATUS', { id: 'd1', state: 'offline' } as Device);
  await vi.advanceTimersByTimeAsync(6000);
  await vi.waitFor(() => expect(view.campaign?.standstill).toEqual({ offline: 1 }));
  end();
  vi.useRealTimers();
});

it('keeps the report that was asked for last, whichever answer comes last', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  const answers: ((report: unknown) => void)[] = [];
  const campaign = (state: Campaign['state']): Campaign => ({ id: '7', state, counts: { total: 9 } }) as Campaign;
  const server = new FakeServer()
    .on('GET /campaigns/7', () => campaign('running'))
    .on('GET /campaigns/7/report', () => new Promise((resolve) => answers.push(resolve)))
    .on('GET /campaigns/7/estimate', () => ({ finishes_at: null }));
  const view = new CampaignView('7', server.live);
  const end = view.follow();
  await vi.waitFor(() => expect(answers).toHaveLength(1));
  server.frame('CAMPAIGN_UPDATE', campaign('finished'));
  await vi.advanceTimersByTimeAsync(500);
  await vi.waitFor(() => expect(answers).toHaveLength(2));
  answers[1]!({ at: 'its end' });
  answers[0]!({ at: 'before' });
  await vi.advanceTimersByTimeAsync(100);
  expect(view.report).toEqual({ at: 'its end' });
  end();
  vi.useRealTimers();
});
