import { expect, it } from 'vitest';
import { isVisible } from './visible';

it.each(['a', ' 1 ', '👍', '👨‍👩‍👧', 'வணக்கம்', 'مرحبا', '你好', '1️⃣', '\u200b.'])('%j can be seen', (text) => {
  expect(isVisible(text)).toBe(true);
});

it.each(['', ' \n', '\u200b\u200d\ufeff', '\u2060\u00ad', '\u3164', '\u2800', '\u0301'])('%j can not', (text) => {
  expect(isVisible(text)).toBe(false);
});
