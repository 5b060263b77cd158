import { describe, expect, it } from 'vitest';
import { asked, filled, matching } from './quick_replies.svelte';

const reply = (name: string, text: string) => ({ id: name, name, text, updated_at: '2026-09-21T12:00:00Z' });
const LIST = [reply('address', 'We are at Jalan Bank 3'), reply('bank', 'Maybank 5140'), reply('thanks', 'Thank you!')];

describe('quick replies', () => {
  it('are asked for by a slash at the very start', () => {
    expect([asked('/'), asked('/BANK'), asked('/two words'), asked('1/2'), asked('')]).toEqual([
      '',
      'bank',
      null,
      null,
      null,
    ]);
  });

  it('are found by name first, then by their text', () => {
    expect(matching(LIST, 'bank').map((one) => one.name)).toEqual(['bank', 'address']);
    expect(matching(LIST, '')).toHaveLength(3);
  });

  it('are filled with the name, and leave other braces alone', () => {
    expect(filled('Hi {name}, {name|friend} {price} {{a|b}}', 'Aina')).toBe('Hi Aina, Aina {price} {{a|b}}');
    expect(filled('Hi {name|friend}', '')).toBe('Hi friend');
  });
});
