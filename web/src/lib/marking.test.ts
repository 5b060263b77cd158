import { describe, expect, it } from 'vitest';
import { places } from './marking';

describe('places', () => {
  it('finds the words of each message in its text, wherever marks divide it, and nowhere else', () => {
    document.body.innerHTML =
      '<div data-message="7-1"><b>Ada teh?</b><span class="words">teh <b>Teh</b> teh</span></div>' +
      '<div data-message="7-2"><span class="words">teh</span></div>' +
      '<div data-message="7-3"><span class="words">kopi</span></div>';
    const found = new Map([
      ['7-1', ['teh', 'Teh']],
      ['7-3', ['teh']],
    ]);
    const ranges = places(document.body, found);
    expect(ranges.map((one) => one.toString())).toEqual(['teh', 'Teh', 'teh']);
    expect(ranges.every((one) => one.startContainer.parentElement?.closest('.words') !== null)).toBe(true);
  });
});
