/** What is pinned in one chat, kept current by the socket. */
import { api, data } from '../api/client';
import type { Message } from '../api/types';
import { isOutbox, type Frame } from './frames';
import type { Live } from './live.svelte';
import { isPinned } from './pinned';
import { Snapshot } from './snapshot';

export class Pins {
  #list = $state.raw<readonly Message[]>([]);
  readonly #chat: string;
  readonly #snapshot: Snapshot;

  constructor(chat: string, live: Live) {
    this.#chat = chat;
    this.#snapshot = new Snapshot(live, (frame) => this.#apply(frame));
  }

  /** The last pinned first. */
  get list(): readonly Message[] {
    return this.#list.filter(isPinned);
  }

  /** Fetches what is pinned and follows it until the result is called. */
  follow(): () => void {
    return this.#snapshot.follow(() => this.load());
  }

  async load(): Promise<void> {
    const params = { path: { chat_id: this.#chat } };
    try {
      await this.#snapshot.take(
        () => data(api.GET('/api/v1/chats/{chat_id}/pinned', { params })),
        ({ items }) => (this.#list = items),
      );
    } catch {
      // The conversation is shown without them; its own failure is said, and they are fetched again soon.
    }
  }

  #apply(frame: Frame): void {
    if (frame.code === 'CHAT_GONE' && frame.result.became === this.#chat) void this.load();
    if (frame.code === 'MESSAGE_GONE' && this.#find(frame.result.id)) void this.load();
    if (frame.code !== 'NEW_MESSAGE' && frame.code !== 'MESSAGE_STATUS') return;
    if (frame.result.chat_id === this.#chat && !isOutbox(frame.result)) this.#take(frame.result);
  }

  /** Which are the last three is for the server to say, when a pin comes, goes or is made once more. */
  #take(message: Message): void {
    const known = this.#find(message.id);
    if (message.is_pinned && message.pinned_until === known?.pinned_until)
      this.#list = this.#list.map((one) => (one === known ? message : one));
    else if (message.is_pinned || known) void this.load();
  }

  #find(id: string): Message | undefined {
    return this.#list.find((one) => one.id === id);
  }
}
