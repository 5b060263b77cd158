/** Which leads a list shows: kept in the address, so that a list can be bookmarked and told to somebody. */
import type { LeadFilter } from '../api/types';

export interface LeadWish {
  search: string;
  tag: string;
  status: '' | 'prospect' | 'customer';
  /** A device's id; `none`: those without one; '': any. */
  device: string;
  suppressed: '' | 'yes' | 'no';
  /** Id of a segment, or ''. */
  segment: string;
}

export const NO_WISH: LeadWish = { search: '', tag: '', status: '', device: '', suppressed: '', segment: '' };

/** The wish of an address; what it does not name, or names wrongly, is not filtered. */
export function readWish(query: URLSearchParams): LeadWish {
  const status = query.get('status') ?? '';
  const suppressed = query.get('suppressed') ?? '';
  return {
    search: query.get('search') ?? '',
    tag: query.get('tag') ?? '',
    status: status === 'prospect' || status === 'customer' ? status : '',
    device: query.get('device') ?? '',
    suppressed: suppressed === 'yes' || suppressed === 'no' ? suppressed : '',
    segment: query.get('segment') ?? '',
  };
}

/** The address's part after `?`; empty without filters. */
export function writeWish(wish: LeadWish): string {
  const words = new URLSearchParams(Object.entries(wish).filter(([, value]) => value !== ''));
  return words.size > 0 ? `?${words}` : '';
}

/** Where a campaign to the leads of a wish is written. */
export function campaignTo(wish: LeadWish): string {
  return `/campaigns/new${writeWish(wish)}`;
}

/** What the server is asked. `segment` is the filter of the segment that is wished for: both must hold. */
export function filterOf(wish: LeadWish, segment: LeadFilter = {}): LeadFilter {
  return {
    ...segment,
    ...(wish.search.trim() !== '' && { search: wish.search.trim() }),
    ...(wish.tag !== '' && { tags: [...(segment.tags ?? []), wish.tag] }),
    ...(wish.status !== '' && { target_status: wish.status }),
    ...(wish.device === 'none' && { has_device: false }),
    ...(wish.device !== '' && wish.device !== 'none' && { device_ids: [wish.device] }),
    ...(wish.suppressed !== '' && { is_suppressed: wish.suppressed === 'yes' }),
  };
}

/** A filter in the words of its members, for where it has to fit in a line. */
export function isEmpty(filter: LeadFilter): boolean {
  return Object.keys(filter).length === 0;
}
