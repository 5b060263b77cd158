/**
 * A person's chat by LID becomes part of the one by number once the number is known: what this browser keeps for the
 * first goes over to the second, whichever of them is open. What it keeps for one that is no more is forgotten.
 */
import { untrack } from 'svelte';
import { api, data } from '../api/client';
import { Problem } from '../api/problem';
import type { Drafts } from './drafts';
import type { Live } from './live.svelte';
import type { OutgoingChats } from './outgoing.svelte';

export class Successors {
  readonly #live: Live;
  readonly #drafts: Drafts;
  readonly #outgoing: OutgoingChats;

  constructor(live: Live, drafts: Drafts, outgoing: OutgoingChats) {
    this.#live = live;
    this.#drafts = drafts;
    this.#outgoing = outgoing;
  }

  /** Moves what goes over, until the result is called; also what has become something else while no page was open. */
  follow(): () => void {
    // an effect this is begun in does not hang on what is kept by then
    void untrack(() => this.#seek());
    return this.#live.subscribe((frame) => {
      if (frame.code === 'CHAT_GONE') this.move(frame.result.id, frame.result.became);
      if (frame.code === 'RESYNC') void this.#seek();
    });
  }

  /** All of the chat `from` is in the chat `into` now. */
  move(from: string, into: string): void {
    this.#drafts.move(from, into);
    this.#outgoing.move(from, into);
  }

  /** Asks for each chat something is kept for, as its frame may have been missed. */
  async #seek(): Promise<void> {
    for (const chat of new Set([...this.#drafts.chats(), ...this.#outgoing.unsent])) {
      try {
        const found = await data(api.GET('/api/v1/chats/{chat_id}', { params: { path: { chat_id: chat } } }));
        if (found.id !== chat) this.move(chat, found.id);
      } catch (error) {
        if (error instanceof Problem && error.status === 404) this.#drafts.drop(chat);
        // else it stays where it is; it is asked for again after the next gap
      }
    }
  }
}
