/** Delays between messages, as people say them: in days, hours, minutes or seconds. */

export const UNITS = ['days', 'hours', 'minutes', 'seconds'] as const;
export type Unit = (typeof UNITS)[number];

const SECONDS: Record<Unit, number> = { days: 86_400, hours: 3600, minutes: 60, seconds: 1 };

/** The largest unit that says it in a whole number. */
export function split(seconds: number): { amount: number; unit: Unit } {
  const unit = seconds === 0 ? 'days' : UNITS.find((one) => seconds % SECONDS[one] === 0)!;
  return { amount: seconds / SECONDS[unit], unit };
}

export function join(amount: number, unit: Unit): number {
  return Math.round(amount * SECONDS[unit]);
}

/** `3 days`, `1 day 12 hours`; its two largest units, and null for none at all. */
export function delayWords(seconds: number, locale: string): string | null {
  const words: string[] = [];
  let rest = seconds;
  for (const unit of UNITS) {
    const whole = Math.floor(rest / SECONDS[unit]);
    rest -= whole * SECONDS[unit];
    if (whole === 0 || words.length === 2) continue;
    const style = { style: 'unit', unit: unit.slice(0, -1), unitDisplay: 'long' } as const;
    words.push(new Intl.NumberFormat(locale, style).format(whole));
  }
  return words.length === 0 ? null : words.join(' ');
}
