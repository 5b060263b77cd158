/**
 * What was typed and not sent, or has not reached the server yet. It is kept in this browser, for one person in one
 * workspace, so that it outlives a page that is reloaded or closed; signing out forgets it. Each text has an entry of its
 * own, since tabs share the store. Its name is the id of the chat it was typed in; a note, and what others keep here, has
 * a word and a dash in front.
 */
import { SvelteMap } from 'svelte/reactivity';
import type { Session } from '../api/types';

const STORED = 'wafast.draft.';
/** Before the id of the chat, for a note that was begun. */
export const NOTE = 'note-';

export class Drafts {
  readonly #byName = new SvelteMap<string, string>();
  readonly #prefix: string;

  /** @param session whose they are */
  constructor(session: Session | null) {
    this.#prefix = `${STORED}${session?.tenant.id}.${session?.user.id}.`;
    for (const key of storedKeys(this.#prefix))
      this.#byName.set(key.slice(this.#prefix.length), localStorage.getItem(key) ?? '');
  }

  get(name: string): string {
    return this.#byName.get(name) ?? '';
  }

  /** All whose name begins so: the rest of the name, and the text. */
  under(prefix: string): [name: string, text: string][] {
    return [...this.#byName].flatMap(([name, text]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), text] as [string, string]] : [],
    );
  }

  /** The chats in which something was typed. */
  chats(): string[] {
    const names = [...this.#byName.keys()].map((name) => (name.startsWith(NOTE) ? name.slice(NOTE.length) : name));
    return names.filter((name) => !name.includes('-'));
  }

  /** What was typed in a chat, and begun as a note, goes over to another, behind what was typed there. */
  move(from: string, into: string): void {
    for (const kind of ['', NOTE]) {
      const words = this.get(kind + from);
      if (words === '') continue;
      this.put(kind + into, [this.get(kind + into), words].filter(Boolean).join('\n'));
      this.put(kind + from, '');
    }
  }

  /** Tells of each that another tab of this browser put away, by its name and what it was, until the result is called. */
  whenGone(told: (name: string, was: string) => void): () => void {
    const listen = ({ key, oldValue, newValue }: StorageEvent): void => {
      if (newValue !== null || !key?.startsWith(this.#prefix)) return;
      const name = key.slice(this.#prefix.length);
      this.#byName.delete(name);
      told(name, oldValue ?? '');
    };
    addEventListener('storage', listen);
    return () => removeEventListener('storage', listen);
  }

  put(name: string, text: string): void {
    const key = this.#prefix + name;
    if (text.trim() === '') {
      // what another tab has written since is not this one's to take away
      if (this.#byName.delete(name)) localStorage.removeItem(key);
      return;
    }
    this.#byName.set(name, text);
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
