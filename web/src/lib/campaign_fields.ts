/** What a person writes of a campaign, field by field: of two who write one at once each changes their own. */
import type { CampaignFields } from '../api/types';

export const FIELDS = [
  'name',
  'audience',
  'message',
  'pace',
  'device_ids',
  'may_move',
  'expires_at',
  'schedule',
] as const satisfies (keyof CampaignFields)[];
export type Field = (typeof FIELDS)[number];
export type Written = Omit<CampaignFields, 'draft'>;

/** Whether two have something else in a field; a null has nothing in any. */
export function differs(
  one: Record<Field, unknown>,
  other: Partial<Record<Field, unknown>> | null,
  field: Field,
): boolean {
  return JSON.stringify(one[field]) !== JSON.stringify(other?.[field]);
}

export function only(fields: Written, wanted: readonly Field[]): Partial<Written> {
  return Object.fromEntries(wanted.map((one) => [one, fields[one]]));
}
