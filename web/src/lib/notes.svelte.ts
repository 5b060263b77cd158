/** Private notes of one chat, kept current by the socket. */
import { api, data, requestKey } from '../api/client';
import type { Note } from '../api/types';
import { isGoneNote, type Frame } from './frames';
import type { Live } from './live.svelte';
import { Snapshot } from './snapshot';

/** The newest ones; nobody reads more beside a conversation. */
const PAGE = 200;

export class Notes {
  /** Oldest first. */
  list = $state.raw<readonly Note[]>([]);
  /** They came at least once. */
  known = $state(false);
  #adding: { text: string; key: string } | null = null;
  readonly #chat: string;
  readonly #snapshot: Snapshot;

  constructor(chat: string, live: Live) {
    this.#chat = chat;
    this.#snapshot = new Snapshot(live, (frame) => this.#apply(frame));
  }

  /** Fetches the notes and follows them until the result is called. */
  follow(): () => void {
    return this.#snapshot.follow(() => this.load());
  }

  async load(): Promise<void> {
    const params = { path: { chat_id: this.#chat }, query: { limit: PAGE } };
    try {
      await this.#snapshot.take(
        () => data(api.GET('/api/v1/chats/{chat_id}/notes', { params })),
        (page) => ([this.list, this.known] = [[...page.items].reverse(), true]),
      );
    } catch {
      // The conversation is shown without them; its own failure is said, and they are fetched again soon.
    }
  }

  #apply(frame: Frame): void {
    if (frame.code === 'CHAT_GONE' && frame.result.became === this.#chat) void this.load();
    if (frame.code !== 'NOTE_UPDATE' || frame.result.chat_id !== this.#chat) return;
    const result = frame.result;
    const others = this.list.filter((note) => note.id !== result.id);
    this.list = isGoneNote(result) ? others : [...others, result].sort((a, b) => Number(a.id) - Number(b.id));
  }

  /** The same words go under the same key until they are taken, so that they stand there once. */
  async add(text: string): Promise<void> {
    if (this.#adding?.text !== text) this.#adding = { text, key: requestKey() };
    const params = { path: { chat_id: this.#chat }, header: { 'Idempotency-Key': this.#adding.key } };
    await data(api.POST('/api/v1/chats/{chat_id}/notes', { params, body: { text } }));
    this.#adding = null;
  }

  async edit(note: Note, text: string): Promise<void> {
    const params = { path: { chat_id: this.#chat, note_id: note.id } };
    await data(api.PATCH('/api/v1/chats/{chat_id}/notes/{note_id}', { params, body: { text } }));
  }

  async remove(note: Note): Promise<void> {
    const params = { path: { chat_id: this.#chat, note_id: note.id } };
    await data(api.DELETE('/api/v1/chats/{chat_id}/notes/{note_id}', { params }));
  }
}
