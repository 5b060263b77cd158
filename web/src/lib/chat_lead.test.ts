import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Campaign } from '../api/types';
import { FakeServer } from '../testing/server';
import { LeadOfChat } from './chat_lead.svelte';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('follows the campaigns that write to the lead, and is left alone by the messages of others', async () => {
  const server = new FakeServer().on('GET /chats/7/lead', () => ({
    phone: '+60123456789',
    lead: { id: '3' },
    opted_out: null,
    sequences: [],
    campaigns: [{ campaign_id: '5', name: 'Raya', bucket: 'waiting', reason: null, sent_at: null }],
  }));
  const fetched = (): number => server.calls.length;
  const moves = async (id: string, state: Campaign['state']): Promise<number> => {
    const before = fetched();
    for (let count = 0; count < 5; count += 1) server.frame('CAMPAIGN_UPDATE', { id, state } as Campaign);
    await vi.advanceTimersByTimeAsync(10_000);
    return fetched() - before;
  };
  const end = new LeadOfChat('7', server.live).follow();
  await vi.advanceTimersByTimeAsync(1);
  expect(await moves('5', 'running')).toBe(1);
  expect(await moves('5', 'running')).toBe(1);
  expect(await moves('6', 'running')).toBe(1);
  expect(await moves('6', 'running')).toBe(0);
  end();
});
