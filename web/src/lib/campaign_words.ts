/** Campaigns in words: instants, near ones by the clock, far ones by the day; and whose part something is. */
import type { Bucket, CampaignRecipient, CampaignSchedule, HeldBy, Rendered } from '../api/types';
import { t, told } from '../i18n/index.svelte';
import { clock, dayNumber, type Place } from './time';

/** `today 15:04`, `Fri 4 Dec, 15:04`, `12 March 2027`. */
export function finishWords(at: Date, now: Date, place: Place): string {
  const days = dayNumber(at, place.zone) - dayNumber(now, place.zone);
  if (days === 0) return `${place.today.toLocaleLowerCase(place.locale)} ${clock(at, place)}`;
  const options: Intl.DateTimeFormatOptions =
    Math.abs(days) < 60
      ? { weekday: 'short', day: 'numeric', month: 'short' }
      : { day: 'numeric', month: 'long', year: 'numeric' };
  const day = new Intl.DateTimeFormat(place.locale, { ...options, timeZone: place.zone }).format(at);
  return Math.abs(days) < 60 ? `${day}, ${clock(at, place)}` : day;
}

/** A day of a calendar, `2026-12-04`: `Fri 4 Dec 2026`. */
export function dayWords(day: string, place: Place): string {
  const options = { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' } as const;
  return new Intl.DateTimeFormat(place.locale, options).format(new Date(`${day}T12:00:00Z`));
}

/** `Fri 4 Dec 2026 15:04, Asia/Kuala_Lumpur`. */
export function scheduleWords({ date, time, zone }: CampaignSchedule, place: Place): string {
  return t('campaigns.at', { date: dayWords(date, place), time: time.slice(0, 5), zone });
}

/** What holds a message that waits, and until when as far as that is known. */
export function heldWords(held: HeldBy, now: Date, place: Place): string {
  const why = told(`held_${held.rule}`, held.text) ?? '';
  if (held.until === null || held.rule === 'due') return why;
  return `${why} · ${t('campaigns.held_until', { when: finishWords(new Date(held.until), now, place) })}`;
}

/** What of a message is likely not meant so. */
export function doubtWords({ problems, doubts }: Rendered): string[] {
  return problems.map((problem, place) => told(doubts[place]?.kind ?? null, problem, doubts[place]?.values) ?? problem);
}

/** The device of a part: nobody's yet, or all those together that the reader doesn't reach. */
export function deviceWords(part: { device_id: string | null; device_name: string | null }): string {
  if (part.device_id === null) return t(part.device_name === null ? 'campaigns.pool' : 'campaigns.other_devices');
  return part.device_name ?? '';
}

/** What has gone by a device, or would have. */
const GONE_BY: readonly Bucket[] = ['sent', 'delivered', 'read', 'replied', 'unknown', 'failed'];

/** As `deviceWords`, of a part that has begun: what has no device may have had one that was deleted. */
export function partWords(part: {
  device_id: string | null;
  device_name: string | null;
  counts: readonly { bucket: Bucket; count: number }[];
}): string {
  if (part.device_id !== null || part.device_name !== null) return deviceWords(part);
  const some = (wanted: readonly Bucket[]): boolean =>
    part.counts.some(({ bucket, count }) => count > 0 && wanted.includes(bucket));
  if (!some(GONE_BY)) return t(some(['waiting']) ? 'campaigns.pool' : 'campaigns.no_device');
  return t(some(['waiting']) ? 'campaigns.pool_or_gone' : 'devices.gone');
}

/** The device of one person. */
export function recipientDevice(one: CampaignRecipient): string {
  if (one.device_name !== null) return one.device_name;
  if (one.bucket === 'waiting') return t('campaigns.pool');
  return t(one.sent_at !== null || one.cause === 'device_gone' ? 'devices.gone' : 'campaigns.no_device');
}
