import { flushSync } from 'svelte';
import { afterEach, expect, it, vi } from 'vitest';
import { isPaused } from './paused';

afterEach(() => void vi.useRealTimers());

it('a pause ends by the clock, without a word from the server', () => {
  vi.useFakeTimers({ now: new Date('2026-03-01T01:00:00Z') });
  const device = { paused_until: '2026-03-01T01:00:15Z' };
  const seen: boolean[] = [];
  const end = $effect.root(() => {
    $effect(() => void seen.push(isPaused(device)));
  });
  flushSync();
  vi.advanceTimersByTime(60_000);
  flushSync();
  end();
  expect([seen[0], seen.at(-1)]).toEqual([true, false]);
});
