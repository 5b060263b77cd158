import { expect, it } from 'vitest';
import { isSending } from './enter';

it('Enter sends, but not with Shift, nor where an input method accepts a word with it', () => {
  const enter = (how: KeyboardEventInit): boolean => isSending(new KeyboardEvent('keydown', { key: 'Enter', ...how }));
  expect(enter({})).toBe(true);
  expect(enter({ shiftKey: true })).toBe(false);
  expect(enter({ isComposing: true })).toBe(false);
  expect(enter({ keyCode: 229 })).toBe(false);
});
