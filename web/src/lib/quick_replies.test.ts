import { describe, expect, it } from 'vitest';
import { FakeServer } from '../testing/server';
import { asked, filled, matching, quickReplies } from './quick_replies.svelte';

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

  it('have names in scripts whose vowels are marks', () => {
    expect(asked('/வங்கி')).toBe('வங்கி');
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

describe('another workspace', () => {
  it('is shown nothing of this one, also not by an answer that comes late', async () => {
    const reply = { id: '1', name: 'bank', text: 'Maybank 5140', updated_at: '2026-09-21T12:53:20Z' };
    let answer: (page: unknown) => void = () => undefined;
    const late = new Promise((resolve) => (answer = resolve));
    let asked = 0;
    new FakeServer().on('GET /quick-replies', () => (asked++ === 0 ? { items: [reply], next: null } : late));
    await quickReplies.load();
    expect(quickReplies.list).toHaveLength(1);
    const loading = quickReplies.load();
    quickReplies.forget();
    expect(quickReplies.list).toEqual([]);
    answer({ items: [reply], next: null });
    await loading;
    expect(quickReplies.list).toEqual([]);
  });
});
