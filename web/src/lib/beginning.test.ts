import { describe, expect, it } from 'vitest';
import { beginning } from './beginning';

describe('the beginning of a text', () => {
  it('is all of what people write', () => {
    const list = Array.from({ length: 60 }, (_, number) => `${number}. Nasi lemak`).join('\n');
    for (const text of ['', 'Hello', 'W'.repeat(3000), list]) expect(beginning(text)).toBe(text);
  });

  it('ends after 3,000 characters', () => {
    expect(beginning('W'.repeat(64_000))).toBe('W'.repeat(3000));
  });

  it.each(['\n', '\r\n', '\u2028', '\u0085'])('ends after 60 lines, however they are broken: %j', (mark) => {
    const high = `a${mark}`.repeat(61);
    expect(beginning(high)).toBe(`a${mark}`.repeat(59) + 'a');
    expect(beginning(mark.repeat(2000))).toBe(mark.repeat(59));
  });
});
