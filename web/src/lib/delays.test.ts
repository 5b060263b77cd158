import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { delayWords, join, split } from './delays';

describe('a delay', () => {
  it('is split and joined without loss', () => {
    fc.assert(
      fc.property(fc.nat(315_360_000), (seconds) => {
        const { amount, unit } = split(seconds);
        expect(join(amount, unit)).toBe(seconds);
      }),
    );
  });

  it.each([
    [0, 0, 'days'],
    [86_400, 1, 'days'],
    [129_600, 36, 'hours'],
    [90, 90, 'seconds'],
    [600, 10, 'minutes'],
  ])('of %i seconds is %i %s', (seconds, amount, unit) => {
    expect(split(seconds)).toEqual({ amount, unit });
  });

  it('is said in its two largest units', () => {
    expect(delayWords(86_400, 'en-GB')).toBe('1 day');
    expect(delayWords(129_600, 'en-GB')).toBe('1 day 12 hours');
    expect(delayWords(90_061, 'en-GB')).toBe('1 day 1 hour');
    expect(delayWords(259_200, 'ms-MY')).toBe('3 hari');
    expect(delayWords(0, 'en-GB')).toBeNull();
  });
});
