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
  readonly #chat: string;
  readonly #live: Live;
  readonly #snapshot = new Snapshot();

  constructor(chat: string, live: Live) {
    this.#chat = chat;
    this.#live = live;
  }

  /** Fetches the notes and follows them until the result is called. */
  follow(): () => void {
    const end = this.#live.subscribe((frame) => {
      if (frame.code === 'RESYNC') void this.load();
      else {
        this.#snapshot.note(frame);
        this.#apply(frame);
      }
    });
    void this.load();
    return end;
  }

  async load(): Promise<void> {
    const params = { path: { chat_id: this.#chat }, query: { limit: PAGE } };
    try {
      await this.#snapshot.take(
        () => data(api.GET('/api/v1/chats/{chat_id}/notes', { params })),
        (page) => (this.list = [...page.items].reverse()),
        (frame) => this.#apply(frame),
      );
    } catch {
      // The conversation is shown without them; its own failure is said, and the next connection tries again.
    }
  }

  #apply(frame: Frame): void {
    if (frame.code !== 'NOTE_UPDATE' || frame.result.chat_id !== this.#chat) return;
    const result = frame.result;
    const others = this.list.filter((note) => note.id !== result.id);
    this.list = isGoneNote(result) ? others : [...others, result].sort((a, b) => Number(a.id) - Number(b.id));
  }

  async add(text: string): Promise<void> {
    const params = { path: { chat_id: this.#chat }, header: { 'Idempotency-Key': requestKey() } };
    await data(api.POST('/api/v1/chats/{chat_id}/notes', { params, body: { text } }));
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
