/**
 * Tells of messages while nobody looks at the page. Only after a person has switched it on: then the browser is asked for
 * its permission, once.
 */
import { api, data } from '../api/client';
import type { Chat, Message } from '../api/types';
import { t, tn } from '../i18n/index.svelte';
import { hasAttention } from './attention';
import type { Frame } from './frames';
import { chatName, senderName, summary } from './names';

const STORED = 'wafast.notifications';
const WORKER = '/notifications.js';
/** Messages are gathered so long (milliseconds), and more chats than so many become one notice. */
const GATHER = 1000;
const MOST = 3;
/** The next of a chat takes the place of the one before, and is heard too. TypeScript does not know it yet. */
const AGAIN = { renotify: true };

export type Refusal = 'unsupported' | 'denied';

/** What to tell of messages that came while nobody looked: the newest of each chat, or one notice for many chats. */
export function notices(
  waiting: ReadonlyMap<string, { message: Message; count: number }>,
  chats: ReadonlyMap<string, Chat>,
): { title: string; body: string; tag: string; address: string }[] {
  const told = [...waiting].filter(([id]) => chats.get(id)?.muted !== true);
  if (told.length > MOST) {
    const count = told.reduce((sum, [, one]) => sum + one.count, 0);
    return [{ title: 'wafast', body: tn('reading.notice_many', count), tag: 'many', address: '/inbox' }];
  }
  return told.map(([id, { message }]) => {
    const chat = chats.get(id);
    const words = summary(message.message_type, message.message_text, false, message.mentions);
    return {
      title: chat ? chatName(chat) : senderName(message),
      body: chat?.is_group ? `${senderName(message)}: ${words}` : words,
      tag: id,
      address: `/device/${message.device_id}/whatsapp-web/${id}`,
    };
  });
}

export class Notifications {
  on = $state(localStorage.getItem(STORED) === 'on' && permission() === 'granted');
  readonly #waiting = new Map<string, { message: Message; count: number }>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Switches them on or off; gives why that was not possible. */
  async switchTo(on: boolean): Promise<Refusal | null> {
    if (on && (!('Notification' in window) || !('serviceWorker' in navigator))) return 'unsupported';
    if (on && (await Notification.requestPermission()) !== 'granted') return 'denied';
    if (on) await navigator.serviceWorker.register(WORKER);
    this.on = on;
    localStorage.setItem(STORED, on ? 'on' : 'off');
    return null;
  }

  /** To be called with every frame. */
  notice(frame: Frame): void {
    if (!this.on || frame.code !== 'NEW_MESSAGE' || hasAttention()) return;
    const message = frame.result;
    if (message.from_me || message.message_type === 'system') return;
    const count = (this.#waiting.get(message.chat_id)?.count ?? 0) + 1;
    this.#waiting.set(message.chat_id, { message, count });
    this.#timer ??= setTimeout(() => void this.#tell(), GATHER);
  }

  async #tell(): Promise<void> {
    this.#timer = undefined;
    const waiting = new Map(this.#waiting);
    this.#waiting.clear();
    if (hasAttention()) return;
    const chats = new Map<string, Chat>();
    if (waiting.size <= MOST * 4)
      await Promise.all(
        [...waiting.keys()].map(async (chat_id) => {
          const chat = await data(api.GET('/api/v1/chats/{chat_id}', { params: { path: { chat_id } } })).catch(
            () => null,
          );
          if (chat) chats.set(chat_id, chat);
        }),
      );
    const worker = await navigator.serviceWorker.register(WORKER);
    for (const { title, body, tag, address } of notices(waiting, chats))
      await worker.showNotification(title, { body, tag, ...AGAIN, icon: '/icon-192.png', data: { address } });
  }
}

function permission(): NotificationPermission {
  return 'Notification' in window ? Notification.permission : 'denied';
}

/** What a person should do about a refusal. */
export function refusalWords(refusal: Refusal): string {
  return t(refusal === 'denied' ? 'reading.notify_denied' : 'reading.notify_unsupported');
}

export const notifications = new Notifications();
