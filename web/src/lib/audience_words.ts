/** Whom a campaign goes to, in words: a line for each condition of its filter. */
import type { CampaignEstimate, LeadFilter } from '../api/types';
import { amount, t, tn } from '../i18n/index.svelte';

/** Those that a campaign's form has a field for. */
const FIELDS = new Set(['tags', 'no_tags', 'target_status', 'device_ids', 'has_device', 'replied', 'quiet_days']);
/** More devices are told by their number. */
const NAMED = 3;

/** Conditions that a campaign's form has no field for, as a list of leads or a segment can have them. */
export function otherConditions(filter: LeadFilter): (keyof LeadFilter)[] {
  const names = Object.keys(filter) as (keyof LeadFilter)[];
  return names.filter((name) => !FIELDS.has(name) || (name === 'has_device' && filter.has_device === true));
}

/** What the others say. */
export function otherWords(filter: LeadFilter): string {
  return filter.search ? t('walk.also_search', { words: filter.search }) : t('walk.also');
}

/** @param nameOf a device; undefined where it is not there any more */
export function audienceWords(filter: LeadFilter, nameOf: (id: string) => string | undefined): string[] {
  const { tags = [], no_tags = [], target_status, device_ids = [], replied, quiet_days } = filter;
  const found: string[] = [];
  const say = (label: string, value: string): number => found.push(`${label}: ${value}`);
  if (tags.length > 0) say(t('campaigns.tags'), tags.join(', '));
  if (no_tags.length > 0) say(t('campaigns.no_tags'), no_tags.join(', '));
  if (target_status) say(t('campaigns.status'), t(`campaigns.status_${target_status}`));
  if (device_ids.length > NAMED) say(t('campaigns.owner'), tn('campaigns.owner_several', device_ids.length));
  else if (device_ids.length > 0)
    say(t('campaigns.owner'), device_ids.map((id) => nameOf(id) ?? t('devices.gone')).join(', '));
  if (filter.has_device === false) say(t('campaigns.owner'), t('campaigns.owner_none'));
  if (replied !== undefined) say(t('campaigns.replied'), t(replied ? 'campaigns.replied_yes' : 'campaigns.replied_no'));
  if (quiet_days !== undefined) say(t('campaigns.quiet'), amount(quiet_days));
  if (otherConditions(filter).length > 0) found.push(otherWords(filter));
  return found.length > 0 ? found : [t('campaigns.everybody')];
}

/** Why nobody gets it. */
export function nobodyWords({ opted_out }: CampaignEstimate, audience: LeadFilter): string {
  if (opted_out > 0) return tn('campaigns.nobody_left', opted_out);
  return t(Object.keys(audience).length > 0 ? 'campaigns.nobody' : 'campaigns.nobody_there');
}
