import type { Message } from '../api/types';

/** What happened, or is no more: nobody gets it. */
const WITHOUT_TICKS = new Set<Message['message_type']>(['system', 'call', 'deleted']);

/** Whether a message shows how far it got. */
export function isTicked(type: Message['message_type'], fromMe: boolean): boolean {
  return fromMe && !WITHOUT_TICKS.has(type);
}
