import { expect, it, vi } from 'vitest';
import { Once } from './once.svelte';
import { toasts } from './toasts.svelte';

it('does what is pressed twice once, tells what went wrong, and does the next thing', async () => {
  const told = vi.spyOn(toasts, 'error').mockImplementation(() => undefined);
  const once = new Once();
  const ends: ((error: Error) => void)[] = [];
  const work = vi.fn(() => new Promise((_, fail) => ends.push(fail)));
  const running = once.run(work);
  await once.run(work);
  expect([work.mock.calls.length, once.busy]).toEqual([1, true]);
  const away = new Error('away');
  ends[0]!(away);
  await running;
  expect([told.mock.calls, once.busy]).toEqual([[[away]], false]);
  await once.run(async () => undefined);
  void once.run(work);
  expect(work).toHaveBeenCalledTimes(2);
});
