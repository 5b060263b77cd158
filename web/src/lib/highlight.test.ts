import { describe, expect, it } from 'vitest';
import { excerpt, pieces } from './highlight';

const shown = (list: { text: string; found: boolean }[]): string =>
  list.map((piece) => (piece.found ? `[${piece.text}]` : piece.text)).join('');

describe('pieces', () => {
  it('counts code points, not halves of an emoji', () => {
    expect(shown(pieces('🎉🎉 promo', [[3, 6]]))).toBe('🎉🎉 [pro]mo');
    expect(shown(pieces('🎉🎉', [[0, 1]]))).toBe('[🎉]🎉');
  });

  it('leaves text without ranges whole, and ranges beyond it out', () => {
    expect(shown(pieces('plain', []))).toBe('plain');
    expect(shown(pieces('short', [[3, 90]]))).toBe('sho[rt]');
  });
});

describe('excerpt', () => {
  it('begins shortly before what was found, on one line', () => {
    const text = `${'word '.repeat(40)}\nneedle in it ${'x'.repeat(300)}`;
    const line = shown(excerpt(text, [[201, 207]]));
    expect(line.startsWith('…')).toBe(true);
    expect(line).toContain('[needle] in it');
    expect(line).not.toContain('\n');
    expect(line.endsWith('…')).toBe(true);
  });

  it('leaves marks out and letters in', () => {
    expect(shown(excerpt('ada *manggis* a_b', [[6, 10]]))).toBe('ada m[angg]is a_b');
  });

  it('shows a short text as it is', () => {
    expect(shown(excerpt('Harga kotak', [[0, 5]]))).toBe('[Harga] kotak');
  });
});
