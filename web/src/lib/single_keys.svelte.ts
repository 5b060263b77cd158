/**
 * Keys that do something by themselves beside the fields: `/`, `?`, the letters that go to the composer. They can be
 * switched off (WCAG 2.1.4), as who dictates says letters all the time. Remembered for each person in this browser.
 */
import { account } from './account.svelte';

let written = $state(0);

function stored(): string {
  return `wafast.single_keys.${account.session?.user.id}`;
}

export const singleKeys = {
  get on(): boolean {
    return written >= 0 && localStorage.getItem(stored()) !== 'off';
  },
  set on(value: boolean) {
    localStorage.setItem(stored(), value ? 'on' : 'off');
    written += 1;
  },
};
