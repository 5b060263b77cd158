import { describe, expect, it } from 'vitest';
import { pages, type Page } from './pages';

describe('pages', () => {
  const asked: (string | undefined)[] = [];
  const page = async (after: string | undefined): Promise<Page<number>> => {
    asked.push(after);
    const first = Number(after ?? 0);
    return { items: [first, first + 1], next: first < 4 ? String(first + 2) : null };
  };

  it('are fetched to the last, one after the other', async () => {
    expect(await pages(page)).toEqual({ items: [0, 1, 2, 3, 4, 5], next: null });
    expect(asked).toEqual([undefined, '2', '4']);
  });

  it('are fetched until there are enough, and say where it goes on', async () => {
    expect(await pages(page, 3)).toEqual({ items: [0, 1, 2, 3], next: '4' });
    expect(await pages(page, 0)).toEqual({ items: [0, 1], next: '2' });
  });
});
