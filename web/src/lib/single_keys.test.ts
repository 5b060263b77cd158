import { expect, it } from 'vitest';
import type { Session } from '../api/types';
import { account } from './account.svelte';
import { singleKeys } from './single_keys.svelte';

it('keys without Ctrl are off for the person who switched them off, and for nobody else', () => {
  const session = (id: string): Session => ({ user: { id } }) as Session;
  account.session = session('7');
  expect(singleKeys.on).toBe(true);
  singleKeys.on = false;
  expect(singleKeys.on).toBe(false);
  account.session = session('8');
  expect(singleKeys.on).toBe(true);
});
