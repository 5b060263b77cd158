/**
 * Unread messages per device, of the chats its list shows. A device frame comes when the device changes, not with every
 * message, so the counts follow the chats' frames here; apart from the devices, so that a message does not redraw or sort
 * three thousand rows.
 */
import { SvelteMap } from 'svelte/reactivity';
import type { Chat } from '../api/types';
import { account } from './account.svelte';
import { isRecent } from './chat_filters';

export class Unread {
  total = $state(0);
  readonly #byDevice = new SvelteMap<string, number>();
  readonly #byChat = new Map<string, number>();

  of(device: string): number {
    return this.#byDevice.get(device) ?? 0;
  }

  /** What the server counted; `null` forgets the device. */
  set(device: string, count: number | null): void {
    this.total += (count ?? 0) - this.of(device);
    if (count === null) this.#byDevice.delete(device);
    else this.#byDevice.set(device, count);
  }

  /** @returns false for a chat not met before: how far it moved the device's count only the server can tell */
  follow(chat: Chat): boolean {
    const before = this.#byChat.get(chat.id);
    const count = chat.archived || !isRecent(chat, account.chatDays) ? 0 : chat.unread_count;
    this.#byChat.set(chat.id, count);
    if (before === undefined) return false;
    if (before !== count) this.set(chat.device_id, Math.max(0, this.of(chat.device_id) + count - before));
    return true;
  }

  /** After a gap in the frames nothing is known of single chats any more. */
  forgetChats(): void {
    this.#byChat.clear();
  }
}
