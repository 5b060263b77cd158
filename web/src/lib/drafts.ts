/**
 * What was typed and not sent, or has not reached the server yet. It is kept in this browser, for one person in one
 * workspace, so that it outlives a page that is reloaded or closed; signing out forgets it. Each text has an entry of its
 * own, since tabs share the store. Its name is the id of the chat it was typed in; a note, the message it answers or
 * changes, and what others keep here, has a word and a dash in front; of the words of a change the message's or note's id
 * is behind it.
 */
import { SvelteMap } from 'svelte/reactivity';
import type { Message, Session } from '../api/types';

const STORED = 'wafast.draft.';
/** Before the id of the chat, for a note that was begun. */
export const NOTE = 'note-';
/** Before it, for the message what was typed answers. */
const REPLY = 'reply-';
/** Before it, for a message that is being changed, and its words by now. */
const CHANGE = 'change-';
/** Before it, for the words of a change that could not be made, or was left: of a message by WhatsApp's id, or a note. */
const EDIT = 'edit-';

/** What the words of a note's change are kept by, beside those of messages. */
export function ofNote(id: string): string {
  return `note-${id}`;
}

/** What is begun in a chat once at most, by what stands before its id. */
const KINDS = ['', NOTE, REPLY, CHANGE];

export interface Change {
  message: Message;
  words: string;
}

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

  /** The message that is answered in a chat. */
  reply(chat: string): Message | null {
    return this.#object(REPLY + chat);
  }

  keepReply(chat: string, message: Message | null): void {
    this.put(REPLY + chat, message ? JSON.stringify(message) : '');
  }

  /** The message that is being changed in a chat. */
  change(chat: string): Change | null {
    return this.#object(CHANGE + chat);
  }

  keepChange(chat: string, change: Change | null): void {
    this.put(CHANGE + chat, change ? JSON.stringify(change) : '');
  }

  /** The words of a change in a chat, kept by what they change; empty when there are none. */
  edit(chat: string, what: string): string {
    return this.get(`${EDIT}${chat}-${what}`);
  }

  keepEdit(chat: string, what: string, words: string): void {
    this.put(`${EDIT}${chat}-${what}`, words);
  }

  /** Forgets the words of changes in a chat to what is gone. */
  dropEdits(chat: string, isGone: (what: string) => boolean): void {
    for (const [what] of this.under(`${EDIT}${chat}-`)) if (isGone(what)) this.keepEdit(chat, what, '');
  }

  /** Forgets what was begun in a chat that is no more. */
  drop(chat: string): void {
    for (const kind of KINDS) this.put(kind + chat, '');
    this.dropEdits(chat, () => true);
  }

  #object<What>(name: string): What | null {
    const text = this.get(name);
    return text === '' ? null : (JSON.parse(text) as What);
  }

  /** The chats in which something was begun. */
  chats(): string[] {
    const begun = [...this.#byName.keys()].map((name) => /^(?:(?:note|reply|change)-)?(\d+)$|^edit-(\d+)-/u.exec(name));
    return [...new Set(begun.flatMap((found) => found?.[1] ?? found?.[2] ?? []))];
  }

  /** What was begun in a chat goes over to another: words behind those there, of messages it stays with the one there. */
  move(from: string, into: string): void {
    for (const kind of KINDS) {
      const [kept, there] = [this.get(kind + from), this.get(kind + into)];
      if (kept === '') continue;
      const isWords = kind === '' || kind === NOTE;
      this.put(kind + into, isWords ? [there, kept].filter(Boolean).join('\n') : there || kept);
      this.put(kind + from, '');
    }
    for (const [what, words] of this.under(`${EDIT}${from}-`)) this.keepEdit(into, what, words);
    this.dropEdits(from, () => true);
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
