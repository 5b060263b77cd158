/** What nobody could say about: a person says whether it arrived. */
import { api, data, requestKey } from '../api/client';
import type { Outbox } from '../api/types';

/** @throws Problem 409 when it is not unknown any more */
export async function resolve(row: string, arrived: boolean): Promise<Outbox> {
  const params = { path: { outbox_id: row } };
  return data(api.POST('/api/v1/outbox/{outbox_id}/resolve', { params, body: { arrived } }));
}

/** All of a campaign; gives how many there were. */
export async function resolveAll(campaign: string, arrived: boolean): Promise<number> {
  const params = { path: { campaign_id: campaign }, header: { 'Idempotency-Key': requestKey() } };
  return (await data(api.POST('/api/v1/campaigns/{campaign_id}/resolve-unknown', { params, body: { arrived } }))).rows;
}
