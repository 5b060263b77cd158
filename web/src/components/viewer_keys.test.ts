/** The viewer by keyboard: arrows move what is enlarged, else they lead on; the focus stays in it. */
import { flushSync, mount, unmount } from 'svelte';
import { expect, it } from 'vitest';
import type { Message } from '../api/types';
import { t } from '../i18n/index.svelte';
import { message } from '../testing/samples';
import { settled } from '../testing/server';
import Viewer from './inbox/Viewer.svelte';

it('arrows change the picture only while the whole of it is shown, also after the last', async () => {
  const all = ['first', 'second'].map(
    (text, n) =>
      ({
        id: String(n),
        message_id: text,
        message_text: text,
        timestamp: 1,
        message_type: 'image',
      }) as unknown as Message,
  );
  const page = mount(Viewer, { target: document.body, props: { message: all[0]!, all } });
  await settled();
  const text = () => document.querySelector('.caption')?.textContent;
  const button = (name: string) => document.querySelector<HTMLButtonElement>(`[aria-label="${name}"]`)!;
  const press = (key: string) => {
    document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    flushSync();
  };

  button(t('viewer.zoom_in')).click();
  flushSync();
  button(t('viewer.next')).focus();
  for (const key of ['ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowUp']) {
    press(key);
    expect(text()).toBe('first');
  }

  button(t('viewer.zoom_out')).click();
  flushSync();
  button(t('viewer.next')).click();
  flushSync();
  expect(text()).toBe('second');
  // a browser takes the focus from what is disabled, and the keys with it
  expect(button(t('viewer.next')).disabled).toBe(false);
  button(t('viewer.next')).click();
  press('ArrowLeft');
  expect(text()).toBe('first');
  await unmount(page);
});

it('arrows on the controls of a film move in the film', async () => {
  const all = [1, 2].map((n) => message({ id: `7-${n}`, message_type: 'video', media_url: `/media/7-${n}.mp4` }));
  const page = mount(Viewer, { target: document.body, props: { message: all[0]!, all } });
  await settled();
  const film = (): HTMLVideoElement => document.querySelector('.viewer video')!;
  const key = (key: string) => new KeyboardEvent('keydown', { key, bubbles: true });
  film().dispatchEvent(key('ArrowRight'));
  flushSync();
  expect(film().getAttribute('src')).toContain('7-1');
  document.querySelector('.viewer')!.dispatchEvent(key('ArrowRight'));
  flushSync();
  expect(film().getAttribute('src')).toContain('7-2');
  await unmount(page);
});
