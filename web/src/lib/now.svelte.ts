/** The present, for labels that change with it: moves on every half minute, and at once when the page is looked at again. */
import { createSubscriber } from 'svelte/reactivity';

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 30_000);
  document.addEventListener('visibilitychange', update);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', update);
  };
});

export function now(): Date {
  subscribe();
  return new Date();
}
