/** What depends on the screen and cannot be left to the style sheet. */
import { MediaQuery } from 'svelte/reactivity';
import { prefersReducedMotion } from 'svelte/motion';

/** One thing at a time, full screen. */
const narrow = new MediaQuery('max-width: 768px');

export function isNarrow(): boolean {
  return narrow.current;
}

/** The conversation sliding over the list on a phone: Svelte transition, still on wide screens. */
export function slideOver(_node: Element): {
  duration: number;
  easing: (t: number) => number;
  css: (t: number) => string;
} {
  return {
    duration: narrow.current && !prefersReducedMotion.current ? 240 : 0,
    easing: (t) => 1 - (1 - t) ** 3,
    css: (t) => `transform: translateX(${(1 - t) * 100}%)`,
  };
}
