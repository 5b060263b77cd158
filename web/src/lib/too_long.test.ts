import { expect, it } from 'vitest';
import { excess } from './too_long';

it.each([
  ['', 0],
  ['abcd', 0],
  ['abcde', 1],
  ['😀😀😀😀', 0],
  ['😀😀😀😀😀😀', 2],
])('a text of four characters at most: %s is %i too long', (text, expected) => {
  expect(excess(text, 4)).toBe(expected);
});
