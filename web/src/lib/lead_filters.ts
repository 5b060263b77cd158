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

/** What a segment says already. A filter says each of these once, so it can't be wished for besides: what was chosen
 * then would reach people outside of the segment. */
export function fixedBy(segment: LeadFilter = {}): Record<'search' | 'status' | 'device' | 'suppressed', boolean> {
  return {
    search: 'search' in segment,
    status: 'target_status' in segment,
    device: 'device_ids' in segment || 'has_device' in segment,
    suppressed: 'is_suppressed' in segment,
  };
}

/** What the server is asked. `segment` is the filter of the segment that is wished for: nobody outside of it fits. */
export function filterOf(wish: LeadWish, segment: LeadFilter = {}): LeadFilter {
  const fixed = fixedBy(segment);
  const device = fixed.device ? '' : wish.device;
  return {
    ...segment,
    ...(!fixed.search && wish.search.trim() !== '' && { search: wish.search.trim() }),
    ...(wish.tag !== '' && { tags: [...(segment.tags ?? []), wish.tag] }),
    ...(!fixed.status && wish.status !== '' && { target_status: wish.status }),
    ...(device === 'none' && { has_device: false }),
    ...(device !== '' && device !== 'none' && { device_ids: [device] }),
    ...(!fixed.suppressed && wish.suppressed !== '' && { is_suppressed: wish.suppressed === 'yes' }),
  };
}

/** A filter in the words of its members, for where it has to fit in a line. */
export function isEmpty(filter: LeadFilter): boolean {
  return Object.keys(filter).length === 0;
}
