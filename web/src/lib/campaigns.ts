/** What can be said of a campaign from its counts, and the few requests that change one. */
import { api, data, requestKey } from '../api/client';
import type { Bucket, Campaign, CampaignState, Outbox } from '../api/types';
import type { Tone } from './tones';

/** In the order of a bar: the furthest a message came first, what waits last. */
export const BUCKETS: readonly Bucket[] = [
  'replied',
  'read',
  'delivered',
  'sent',
  'unknown',
  'failed',
  'expired',
  'opted_out',
  'cancelled',
  'waiting',
];

export const TONES: Record<CampaignState, Tone> = {
  draft: 'calm',
  scheduled: 'warn',
  planning: 'warn',
  running: 'good',
  paused: 'warn',
  finished: 'calm',
  cancelled: 'bad',
};

/** The instant at which a calendar shows a campaign. */
export function beginOf(campaign: Campaign): number {
  return Date.parse(campaign.starts_at ?? campaign.created_at);
}

/** Campaigns as a calendar shows them: by their beginning, and those of one instant in the order they were made. */
export function inOrder(campaigns: readonly Campaign[]): Campaign[] {
  return campaigns.toSorted((a, b) => beginOf(a) - beginOf(b) || Number(a.id) - Number(b.id));
}

/** How many have left: whatever became of them then. */
export function left({ counts }: Campaign): number {
  return counts.sent + counts.delivered + counts.read + counts.replied;
}

export function isOver(campaign: Campaign): boolean {
  return campaign.state === 'finished' || campaign.state === 'cancelled';
}

export function hasBegun(campaign: Campaign): boolean {
  return campaign.state !== 'draft' && campaign.state !== 'scheduled';
}

/** A part of a whole as the language writes it: `42 %`, near its ends `99.7 %`; empty of nothing. */
export function share(part: number, whole: number, locale: string): string {
  if (whole === 0) return '';
  const ratio = part / whole;
  const digits = ratio < 0.1 || ratio > 0.9 ? 1 : 0;
  return new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: digits }).format(ratio);
}

export type Action = 'start' | 'pause' | 'resume' | 'cancel';

/** @throws Problem 409 when it is not in a state for that */
export function act(id: string, action: Action): Promise<Campaign> {
  const params = { path: { campaign_id: id } };
  if (action === 'start') {
    const header = { 'Idempotency-Key': requestKey() };
    return data(api.POST('/api/v1/campaigns/{campaign_id}/start', { params: { ...params, header } }));
  }
  return data(api.POST(`/api/v1/campaigns/{campaign_id}/${action}`, { params }));
}

/** @throws Problem 409 when its file is gone */
export function clone(id: string): Promise<Campaign> {
  const params = { path: { campaign_id: id }, header: { 'Idempotency-Key': requestKey() } };
  return data(api.POST('/api/v1/campaigns/{campaign_id}/clone', { params, body: {} }));
}

/** Gives how many wait again. */
export async function retryFailed(id: string): Promise<number> {
  const params = { path: { campaign_id: id }, header: { 'Idempotency-Key': requestKey() } };
  return (await data(api.POST('/api/v1/campaigns/{campaign_id}/retry-failed', { params }))).rows;
}

/** @throws Problem 409 while it runs */
export async function remove(id: string): Promise<void> {
  await data(api.DELETE('/api/v1/campaigns/{campaign_id}', { params: { path: { campaign_id: id } } }));
}

/** Sends its message to one number, for somebody of its audience; gives what leaves. */
export function sendTest(id: string, to: string): Promise<Outbox> {
  const params = { path: { campaign_id: id }, header: { 'Idempotency-Key': requestKey() } };
  return data(api.POST('/api/v1/campaigns/{campaign_id}/test', { params, body: { to } }));
}
