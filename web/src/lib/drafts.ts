/**
 * What was typed in chats and not sent yet. It is kept in this browser, for one person in one workspace, so that it
 * outlives a page that is reloaded or closed; signing out forgets it. Each chat has an entry of its own, since tabs share
 * the store.
 */
import { SvelteMap } from 'svelte/reactivity';
import type { Session } from '../api/types';

const STORED = 'wafast.draft.';

export class Drafts {
  readonly #byChat = new SvelteMap<string, string>();
  readonly #prefix: string;

  /** @param session whose they are */
  constructor(session: Session | null) {
    this.#prefix = `${STORED}${session?.tenant.id}.${session?.user.id}.`;
    for (const key of storedKeys(this.#prefix))
      this.#byChat.set(key.slice(this.#prefix.length), localStorage.getItem(key) ?? '');
  }

  get(chat: string): string {
    return this.#byChat.get(chat) ?? '';
  }

  put(chat: string, text: string): void {
    const key = this.#prefix + chat;
    if (text.trim() === '') {
      this.#byChat.delete(chat);
      localStorage.removeItem(key);
      return;
    }
    this.#byChat.set(chat, text);
    try {
      localStorage.setItem(key, text);
    } catch {
      // The store is full: this page still has it.
    }
  }
}

/** Of everybody who used this browser. */
export function forgetDrafts(): void {
  for (const key of storedKeys(STORED)) localStorage.removeItem(key);
}

function storedKeys(prefix: string): string[] {
  const keys = Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index) ?? '');
  return keys.filter((key) => key.startsWith(prefix));
}
