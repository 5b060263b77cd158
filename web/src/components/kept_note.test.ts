/** A note that is being changed outlives its row, which goes when it is scrolled away or another chat is opened. */
import { flushSync, mount, unmount } from 'svelte';
import { expect, it, vi } from 'vitest';
import type { Note, Session } from '../api/types';
import { account } from '../lib/account.svelte';
import { Drafts } from '../lib/drafts';
import { Notes } from '../lib/notes.svelte';
import { KEY } from '../lib/workspace.svelte';
import { FakeServer, settled } from '../testing/server';
import NoteBubble from './team/NoteBubble.svelte';

it('keeps the words until they are saved', async () => {
  const session = { user: { id: '1', role: 'owner' }, tenant: { id: '1' } } as unknown as Session;
  account.session = session;
  const note = { id: '5', text: 'blue', author: 'Ali', created_by: 'user:1', created_at: '2026-01-01T00:00:00Z' };
  const drafts = new Drafts(session);
  const props = { note: note as unknown as Note, notes: new Notes('7', new FakeServer().live) };
  const row = () => mount(NoteBubble, { target: document.body, props, context: new Map([[KEY, { drafts }]]) });
  const field = () => document.querySelector('textarea');

  let shown = row();
  document.querySelector<HTMLButtonElement>('button.small')!.click();
  await settled();
  expect(document.activeElement).toBe(field());
  field()!.value = 'green';
  field()!.dispatchEvent(new Event('input', { bubbles: true }));
  flushSync();
  await unmount(shown);

  shown = row();
  flushSync();
  expect(field()?.value).toBe('green');
  expect(document.activeElement).not.toBe(field());
  vi.stubGlobal('fetch', () => Promise.resolve(Response.json({})));
  document.querySelector<HTMLButtonElement>('button.primary')!.click();
  await vi.waitFor(() => expect(field()).toBeNull());
  await unmount(shown);

  shown = row();
  flushSync();
  expect(field()).toBeNull();
  await unmount(shown);
});
