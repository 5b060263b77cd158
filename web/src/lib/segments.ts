/** Filters for leads that were given a name. */
import { api, data } from '../api/client';
import { pages } from '../api/pages';
import type { Segment } from '../api/types';

/** The last made first. */
export async function everySegment(): Promise<Segment[]> {
  const ask = (after: string | undefined) =>
    data(api.GET('/api/v1/segments', { params: { query: { limit: 200, after } } }));
  return (await pages(ask)).items;
}
