/** Instants of campaigns in words: near ones by the clock, far ones by the day. */
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
