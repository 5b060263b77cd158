import { describe, expect, it } from 'vitest';
import { markedUp, replaced, shortcut } from './editing';

describe('editing', () => {
  it('puts marks around the selection and takes them away again', () => {
    const bold = markedUp('so good', 3, 7, '*');
    expect(bold).toEqual({ text: 'so *good*', start: 4, end: 8 });
    expect(markedUp(bold.text, bold.start, bold.end, '*')).toEqual({ text: 'so good', start: 3, end: 7 });
  });

  it('puts words where the selection was', () => {
    expect(replaced('hi you', 3, 6, '👍')).toEqual({ text: 'hi 👍', start: 5, end: 5 });
  });

  it('knows the usual keys and no others', () => {
    const key = (key: string, more: KeyboardEventInit = {}): string | null =>
      shortcut(new KeyboardEvent('keydown', { key, ctrlKey: true, ...more }));
    expect([key('b'), key('I'), key('S', { shiftKey: true }), key('M', { shiftKey: true })]).toEqual([
      '*',
      '_',
      '~',
      '```',
    ]);
    expect([key('b', { ctrlKey: false }), key('s'), key('b', { altKey: true }), key('c')]).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });
});
