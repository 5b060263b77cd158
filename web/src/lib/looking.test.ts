import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Live } from './live.svelte';
import { Looking } from './looking';

const said: unknown[] = [];
const live = { say: (what: unknown) => said.push(what) } as unknown as Live;

beforeEach(() => {
  said.length = 0;
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

it('says which chat is shown, again while it lasts, and that it is left', () => {
  const leave = new Looking(live, '7').follow();
  vi.advanceTimersByTime(20_000);
  leave();
  const here = { chat_id: '7', is_typing: false };
  expect(said).toEqual([here, here, { chat_id: null, is_typing: false }]);
});

it('says once that somebody types, and when it ends', () => {
  const looking = new Looking(live, '7');
  const leave = looking.follow();
  looking.typed('H');
  looking.typed('He');
  vi.advanceTimersByTime(5000);
  looking.typed('Hel');
  looking.typed('');
  expect(said).toEqual([false, true, false, true, false].map((is_typing) => ({ chat_id: '7', is_typing })));
  leave();
});

it('does not take back the chat that was opened after it', () => {
  const leaveFirst = new Looking(live, '7').follow();
  const leaveSecond = new Looking(live, '8').follow();
  leaveFirst();
  expect(said.at(-1)).toEqual({ chat_id: '8', is_typing: false });
  leaveSecond();
});
