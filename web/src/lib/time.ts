/**
 * How instants are shown: in the account's time zone, never the browser's. In lists:
 * `15:04` today, `Yesterday`, the weekday within 7 days, then the date.
 */
export interface Place {
  /** BCP 47, decides the words */
  locale: string;
  /** IANA zone, decides the day and the hour */
  zone: string;
  today: string;
  yesterday: string;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(locale: string, zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale}|${zone}|${JSON.stringify(options)}`;
  let found = formatters.get(key);
  if (!found) formatters.set(key, (found = new Intl.DateTimeFormat(locale, { ...options, timeZone: zone })));
  return found;
}

/** Days since 1970 of the calendar day an instant falls on in a zone. */
export function dayNumber(at: Date, zone: string): number {
  const parts = formatter('en-US', zone, { year: 'numeric', month: 'numeric', day: 'numeric' }).formatToParts(at);
  const value = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  return Date.UTC(value('year'), value('month') - 1, value('day')) / 86_400_000;
}

/** Months since the year 0 of the calendar month an instant falls in, in a zone. */
export function monthNumber(at: Date, zone: string): number {
  const day = new Date(dayNumber(at, zone) * 86_400_000);
  return day.getUTCFullYear() * 12 + day.getUTCMonth();
}

/** The instant a calendar day (`2026-11-26`) begins in a zone. */
export function startOfDay(day: string, zone: string): Date {
  return instantOf(`${day}T00:00`, zone);
}

const DAY = 86_400_000;

/**
 * The instant at which clocks of a zone show `2026-11-26T15:04`: where they are put back the first of two; where they are
 * put forward over it, as much after the change.
 */
export function instantOf(local: string, zone: string): Date {
  const wanted = Date.parse(`${local}:00Z`);
  const parts = (at: number): Record<string, string> =>
    Object.fromEntries(
      formatter('en-US', zone, {
        year: 'numeric',
        month: '2-digit',
        day: '2-digit',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
        hourCycle: 'h23',
      })
        .formatToParts(new Date(at))
        .map(({ type, value }) => [type, value]),
    );
  const offset = (at: number): number => {
    const { year, month, day: date, hour, minute, second } = parts(at);
    // who types a year of two digits means one of the first century, as a field for days has it
    return Date.parse(`${year!.padStart(4, '0')}-${month}-${date}T${hour}:${minute}:${second}Z`) - at;
  };
  // of two days around it each has one offset, also where the clock changes between them
  const possible = [wanted - DAY, wanted + DAY].map((near) => wanted - offset(near));
  return new Date(possible.find((at) => at + offset(at) === wanted) ?? Math.max(...possible));
}

/** What clocks of a zone show, as a field for day and time takes it: `2026-11-26T15:04`. */
export function localMinute(at: Date, zone: string): string {
  const day = new Date(dayNumber(at, zone) * 86_400_000).toISOString().slice(0, 10);
  return `${day}T${clock(at, { locale: 'en-GB', zone, today: '', yesterday: '' })}`;
}

/** `November 2026` */
export function month(at: Date, place: Place): string {
  return formatter(place.locale, place.zone, { month: 'long', year: 'numeric' }).format(at);
}

/** `15:04` */
export function clock(at: Date, place: Place): string {
  return formatter(place.locale, place.zone, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at);
}

function date(at: Date, place: Place): string {
  return formatter(place.locale, place.zone, { day: '2-digit', month: '2-digit', year: 'numeric' }).format(at);
}

function weekday(at: Date, place: Place): string {
  return formatter(place.locale, place.zone, { weekday: 'long' }).format(at);
}

/** The time of a chat's last message, as short as it can be understood. */
export function listTime(at: Date, now: Date, place: Place): string {
  const days = dayNumber(now, place.zone) - dayNumber(at, place.zone);
  if (days <= 0) return days === 0 ? clock(at, place) : date(at, place);
  if (days === 1) return place.yesterday;
  return days < 7 ? weekday(at, place) : date(at, place);
}

/** The line between two days of a conversation. */
export function daySeparator(at: Date, now: Date, place: Place): string {
  const days = dayNumber(now, place.zone) - dayNumber(at, place.zone);
  if (days === 0) return place.today;
  if (days === 1) return place.yesterday;
  if (days > 1 && days < 7) return weekday(at, place);
  return formatter(place.locale, place.zone, { day: 'numeric', month: 'long', year: 'numeric' }).format(at);
}

const SPANS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** `3 min`, `2 hr`, `5 days`: how long ago, in the largest unit that fits; null for less than a minute. */
export function span(from: Date, now: Date, { locale }: Place): string | null {
  const passed = now.getTime() - from.getTime();
  const fits = SPANS.find(([, size]) => passed >= size);
  if (!fits) return null;
  const [unit, size] = fits;
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' }).format(Math.floor(passed / size));
}

/** Day and clock, for tooltips and details. */
export function full(at: Date, place: Place): string {
  return formatter(place.locale, place.zone, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' }).format(at);
}

/** `0:07`, `1:02:03`: a length in seconds. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}
