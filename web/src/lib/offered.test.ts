import { expect, it } from 'vitest';
import { taken } from './offered';
import { toasts } from './toasts.svelte';

it('of more files than go at once the first are taken, and the others named', () => {
  const files = Array.from({ length: 38 }, (_, n) => new File(['x'], `${n + 1}.jpg`));
  expect(taken(files, 0)).toEqual(files.slice(0, 30));
  expect(toasts.items.at(-1)?.text).toBe(
    'At most 30 files go at once. Left out: 31.jpg, 32.jpg, 33.jpg, 34.jpg, 35.jpg +3.',
  );
  expect(taken(files.slice(0, 3), 28)).toEqual(files.slice(0, 2));
  expect(toasts.items.at(-1)?.text).toContain('Left out: 3.jpg.');
  const said = toasts.items.length;
  expect(taken(files.slice(0, 3), 27)).toHaveLength(3);
  expect(toasts.items).toHaveLength(said);
});
