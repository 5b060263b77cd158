import { describe, expect, it } from 'vitest';
import {
  clock,
  dayNumber,
  daySeparator,
  duration,
  instantOf,
  listTime,
  monthNumber,
  span,
  startOfDay,
  type Place,
} from './time';

const malaysia: Place = { locale: 'en-GB', zone: 'Asia/Kuala_Lumpur', today: 'Today', yesterday: 'Yesterday' };
const at = (iso: string): Date => new Date(iso);

describe('listTime', () => {
  const now = at('2026-11-24T10:00:00+08:00');

  it.each([
    ['2026-11-24T00:00:00+08:00', '00:00'],
    ['2026-11-24T15:04:00+08:00', '15:04'],
    ['2026-11-23T23:59:59+08:00', 'Yesterday'],
    ['2026-11-23T00:00:00+08:00', 'Yesterday'],
    ['2026-11-22T23:59:59+08:00', 'Sunday'],
    ['2026-11-18T00:00:00+08:00', 'Wednesday'],
    ['2026-11-17T23:59:59+08:00', '17/11/2026'],
    ['2025-12-31T12:00:00+08:00', '31/12/2025'],
  ])('%s is shown as %s', (instant, shown) => {
    expect(listTime(at(instant), now, malaysia)).toBe(shown);
  });

  it('decides the day in the account’s zone, whatever the browser’s', () => {
    // 23:30 in Kuala Lumpur, still the afternoon in London
    const instant = at('2026-11-23T15:30:00Z');
    const after = at('2026-11-23T16:30:00Z');
    expect(listTime(instant, after, malaysia)).toBe('Yesterday');
    expect(listTime(instant, after, { ...malaysia, zone: 'Europe/London' })).toBe('15:30');
  });

  it('turns to Yesterday at midnight, not after 24 hours', () => {
    const late = at('2026-11-23T23:59:00+08:00');
    expect(listTime(late, at('2026-11-23T23:59:30+08:00'), malaysia)).toBe('23:59');
    expect(listTime(late, at('2026-11-24T00:00:00+08:00'), malaysia)).toBe('Yesterday');
  });

  it('counts calendar days over a change of clocks', () => {
    const berlin: Place = { ...malaysia, zone: 'Europe/Berlin' };
    // the night of 25 October 2026 has 25 hours there
    expect(listTime(at('2026-10-24T23:30:00+02:00'), at('2026-10-26T00:10:00+01:00'), berlin)).toBe('Saturday');
    expect(listTime(at('2026-10-25T00:10:00+02:00'), at('2026-10-25T23:50:00+01:00'), berlin)).toBe('00:10');
  });

  it('speaks the language it is given', () => {
    const malay: Place = { ...malaysia, locale: 'ms-MY', yesterday: 'Semalam' };
    expect(listTime(at('2026-11-22T12:00:00+08:00'), now, malay)).toBe('Ahad');
    expect(listTime(at('2026-11-23T12:00:00+08:00'), now, malay)).toBe('Semalam');
  });
});

describe('daySeparator', () => {
  it('names today, yesterday, weekdays, then the date', () => {
    const now = at('2026-11-24T10:00:00+08:00');
    const shown = [
      '2026-11-24T01:00+08:00',
      '2026-11-23T01:00+08:00',
      '2026-11-20T01:00+08:00',
      '2026-11-01T01:00+08:00',
    ];
    expect(shown.map((instant) => daySeparator(at(instant), now, malaysia))).toEqual([
      'Today',
      'Yesterday',
      'Friday',
      '1 November 2026',
    ]);
  });
});

describe('clock', () => {
  it('shows midnight as 00, never 24', () => {
    expect(clock(at('2026-11-24T00:05:00+08:00'), malaysia)).toBe('00:05');
  });
});

describe('dayNumber', () => {
  it('grows by one a day, also where the year turns', () => {
    const last = dayNumber(at('2026-12-31T23:59:59+08:00'), 'Asia/Kuala_Lumpur');
    expect(dayNumber(at('2027-01-01T00:00:00+08:00'), 'Asia/Kuala_Lumpur')).toBe(last + 1);
  });
});

describe('duration', () => {
  it.each([
    [0, '0:00'],
    [7.4, '0:07'],
    [65, '1:05'],
    [3723, '1:02:03'],
  ])('%d seconds are %s', (seconds, shown) => expect(duration(seconds)).toBe(shown));
});

describe('span', () => {
  const now = at('2026-11-24T10:00:00Z');
  it.each([
    ['2026-11-24T09:59:01Z', null],
    ['2026-11-24T10:05:00Z', null],
    ['2026-11-24T09:57:00Z', '3 mins'],
    ['2026-11-24T08:00:01Z', '1 hr'],
    ['2026-11-19T09:00:00Z', '5 days'],
  ])('%s is %s ago', (instant, shown) => expect(span(at(instant), now, malaysia)).toBe(shown));
});

describe('startOfDay', () => {
  it.each([
    ['2026-11-26', 'Asia/Kuala_Lumpur', '2026-11-25T16:00:00.000Z'],
    ['2026-03-29', 'Europe/London', '2026-03-29T00:00:00.000Z'],
    ['2026-03-30', 'Europe/London', '2026-03-29T23:00:00.000Z'],
    ['2026-10-26', 'America/New_York', '2026-10-26T04:00:00.000Z'],
    // there clocks are put forward at midnight, or back over it
    ['2026-09-06', 'America/Santiago', '2026-09-06T04:00:00.000Z'],
    ['2026-03-08', 'America/Havana', '2026-03-08T05:00:00.000Z'],
    ['2026-11-01', 'America/Havana', '2026-11-01T04:00:00.000Z'],
    ['2026-04-24', 'Africa/Cairo', '2026-04-23T22:00:00.000Z'],
    ['2011-12-30', 'Pacific/Apia', '2011-12-30T10:00:00.000Z'],
    // what stands in the field while the year is being typed
    ['0026-11-26', 'UTC', '0026-11-26T00:00:00.000Z'],
    ['0001-01-01', 'UTC', '0001-01-01T00:00:00.000Z'],
  ])('%s in %s begins at %s', (day, zone, instant) => {
    expect(startOfDay(day, zone).toISOString()).toBe(instant);
  });
});

describe('instantOf', () => {
  it.each([
    ['2026-03-08T02:30', '2026-03-08T07:30:00.000Z'],
    ['2026-11-01T01:30', '2026-11-01T05:30:00.000Z'],
    ['2026-11-01T02:00', '2026-11-01T07:00:00.000Z'],
  ])('%s in New York is %s', (local, instant) => {
    expect(instantOf(local, 'America/New_York').toISOString()).toBe(instant);
  });
});

describe('monthNumber', () => {
  it('is of the zone', () => {
    const instant = at('2026-11-30T17:00:00Z');
    expect(monthNumber(instant, 'Asia/Kuala_Lumpur') - monthNumber(instant, 'Europe/London')).toBe(1);
  });
});
