import { describe, expect, it } from 'vitest';
import { EMOJIS, findEmojis } from './emoji_list';

describe('emojis', () => {
  const all = Object.values(EMOJIS).flat();

  it('are each one emoji, once, with words', () => {
    expect(all.filter((one) => !/^\p{RGI_Emoji}$/v.test(one.char)).map((one) => one.char)).toEqual([]);
    expect(new Set(all.map((one) => one.char)).size).toBe(all.length);
    expect(all.filter((one) => one.words === '')).toEqual([]);
  });

  it('are found by the beginning of a word in both languages', () => {
    expect(findEmojis('thank').map((one) => one.char)).toEqual(['🙏']);
    expect(findEmojis('terima').map((one) => one.char)).toEqual(['🙏']);
    expect(findEmojis('Resit').map((one) => one.char)).toEqual(['🧾']);
    expect(findEmojis('').length).toBe(all.length);
  });
});
