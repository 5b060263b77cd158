/** A part of the page that didn't come: it can be asked for again where it would stand. */
import { createRawSnippet, flushSync, mount, unmount } from 'svelte';
import { expect, it } from 'vitest';
import { settled } from '../testing/server';
import Part from './Part.svelte';

it('is asked for again by a press, and by itself once there is a connection', async () => {
  let isThere = false;
  let asked = 0;
  const of = async (): Promise<{ default: string }> => {
    asked += 1;
    if (!isThere) throw new TypeError('Failed to fetch dynamically imported module');
    return { default: 'a poll' };
  };
  const children = createRawSnippet<[string]>((loaded) => ({ render: () => `<p>${loaded()}</p>` }));
  const shown = mount(Part<string>, { target: document.body, props: { of, children } });
  const now = async (): Promise<[number, string | undefined]> => {
    flushSync();
    await settled();
    return [asked, document.body.textContent.trim()];
  };
  expect(await now()).toEqual([1, 'Try again']);
  document.querySelector('button')!.click();
  expect(await now()).toEqual([2, 'Try again']);
  isThere = true;
  dispatchEvent(new Event('online'));
  expect(await now()).toEqual([3, 'a poll']);
  dispatchEvent(new Event('online'));
  expect(await now()).toEqual([3, 'a poll']);
  await unmount(shown);
});
