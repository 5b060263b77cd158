import type { Message } from '../api/types';
import { now } from './now.svelte';

/** Whether a message is pinned now: a pin ends by itself, and nothing is told of that. */
export function isPinned({ is_pinned, pinned_until }: Message): boolean {
  return is_pinned && (pinned_until === null || Date.parse(pinned_until) > now().getTime());
}
