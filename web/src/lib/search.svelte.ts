/** What is looked for and what was found: each letter typed replaces the search before it. */
import { api, data } from '../api/client';
import type { Chat, FoundChat, FoundMessage, Message } from '../api/types';
import { isOutbox, type Frame } from './frames';
import type { LoadState } from './devices.svelte';
import type { Live } from './live.svelte';

/** Long enough to type the next letter, short enough to feel immediate. Milliseconds. */
const DELAY = 150;
/** After a message came or changed that may belong here: then the index has it, mostly and surely. Milliseconds. */
const AGAIN = 1200;
const AT_LAST = 5000;
/** A page may be short although more follows: so many messages are fetched before one has to scroll. */
const ENOUGH = 20;
/** Messages, or chats alone, that the server gives at once. */
const PAGE = 50;
/** Chats it gives beside messages. */
const BESIDE = 20;
/** In one chat all are counted, as far as the server gives them at once. */
const MOST_IN_CHAT = 200;

export class Search {
  /** What is looked for; empty when nothing is. */
  words = $state('');
  state = $state<LoadState>('ready');
  problem = $state.raw<unknown>(null);
  chats = $state.raw<readonly FoundChat[]>([]);
  messages = $state.raw<readonly FoundMessage[]>([]);
  /** What `chats` and `messages` were found for. */
  found = $state('');
  loadingMore = $state(false);
  loadingChats = $state(false);
  /** Why the chats, or the messages, break off where more follow. */
  chatsProblem = $state.raw<unknown>(null);
  moreProblem = $state.raw<unknown>(null);
  #nextChats = $state<string | null>(null);
  #next = $state<string | null>(null);
  #running: AbortController | null = null;
  /** Until nothing more is typed. */
  #typing: ReturnType<typeof setTimeout> | undefined;
  /** Until what may belong here is looked for, and looked for once more. */
  #changing: ReturnType<typeof setTimeout> | undefined;
  #changed: ReturnType<typeof setTimeout> | undefined;
  /** When a message came last, also while nothing was looked for: the index may not have it yet. */
  #came = 0;
  readonly #device: string | null;
  readonly #live: Live;
  readonly #chat: string | null;

  /**
   * @param device only this one's; null for all
   * @param chat only messages of this one; null for all
   */
  constructor(device: string | null, live: Live, chat: string | null = null) {
    this.#device = device;
    this.#live = live;
    this.#chat = chat;
  }

  get active(): boolean {
    return this.words !== '';
  }

  get hasMore(): boolean {
    return this.#next !== null;
  }

  get hasMoreChats(): boolean {
    return this.#nextChats !== null;
  }

  /** Keeps what was found up to date until the result is called. */
  follow(): () => void {
    this.#came = Date.now(); // nobody has told of what came before
    const end = this.#live.subscribe((frame) => this.apply(frame));
    const again = this.#live.whenLive(() => {
      if (this.state === 'failed') void this.load();
      if (this.moreProblem) void this.loadMore();
      if (this.chatsProblem) void this.moreChats();
    });
    return () => {
      end();
      again();
      this.look('');
    };
  }

  /** Looks for these words soon. */
  look(typed: string): void {
    const words = typed.trim();
    if (words === this.words) return;
    this.words = words;
    this.#running?.abort();
    clearTimeout(this.#typing);
    if (words === '') this.#take([], null, [], null);
    else {
      this.state = 'loading';
      this.#typing = setTimeout(() => void this.load(), DELAY);
      if (Date.now() - this.#came < AT_LAST) this.#again();
    }
  }

  async load(): Promise<void> {
    const run = this.#begin();
    try {
      const found = await this.#fetch(run.signal);
      this.#take(found.chats, found.chats_next, found.messages.items, found.messages.next);
    } catch (error) {
      if (run.signal.aborted) return;
      this.problem = error;
      this.state = 'failed';
    } finally {
      this.#end(run);
    }
    await Promise.all([
      this.#reach(
        () => this.messages.length >= ENOUGH,
        () => this.#next,
        () => this.loadMore(),
      ),
      this.#reach(
        () => this.chats.length >= BESIDE,
        () => this.#nextChats,
        () => this.moreChats(),
      ),
    ]);
  }

  /** Fetches on until there is enough, nothing more comes, or something else is looked for. */
  async #reach(isEnough: () => boolean, next: () => string | null, more: () => Promise<void>): Promise<void> {
    const words = this.words;
    let before: string | null = null;
    while (this.words === words && !isEnough() && next() !== before) {
      before = next();
      await more();
    }
  }

  /** The next chats of what is found. */
  async moreChats(): Promise<void> {
    const [after, words] = [this.#nextChats, this.words];
    if (after === null || this.loadingChats || this.state !== 'ready') return;
    this.loadingChats = true;
    const query = { q: words.slice(0, 200), device_id: this.#device ?? undefined, limit: PAGE, after };
    try {
      const page = await data(api.GET('/api/v1/search/chats', { params: { query } }));
      if (this.#nextChats !== after || this.words !== words) return; // it was looked for something else meanwhile
      const known = new Set(this.chats.map((one) => one.chat.id));
      this.chats = this.chats.concat(page.items.filter((one) => !known.has(one.chat.id)));
      this.#nextChats = page.next;
      this.chatsProblem = null;
    } catch (error) {
      if (this.words === words) this.chatsProblem = error;
    } finally {
      this.loadingChats = false;
    }
  }

  /** The next messages of what is found. */
  async loadMore(): Promise<void> {
    const after = this.#next;
    if (after === null || this.#running !== null || this.state !== 'ready') return;
    this.loadingMore = true;
    const run = this.#begin();
    try {
      const page = (await this.#fetch(run.signal, after)).messages;
      const known = new Set(this.messages.map((one) => one.message.id));
      this.messages = this.messages.concat(page.items.filter((one) => !known.has(one.message.id)));
      this.#next = page.next;
      this.moreProblem = null;
    } catch (error) {
      if (!run.signal.aborted) this.moreProblem = error;
    } finally {
      this.loadingMore = false;
      this.#end(run);
    }
  }

  #begin(): AbortController {
    this.#running?.abort();
    return (this.#running = new AbortController());
  }

  #end(run: AbortController): void {
    if (this.#running === run) this.#running = null;
  }

  #fetch(signal: AbortSignal, after?: string) {
    const place =
      this.#chat === null ? { device_id: this.#device ?? undefined } : { chat_id: this.#chat, limit: MOST_IN_CHAT };
    const query = { q: this.words.slice(0, 200), ...place, after };
    return data(api.GET('/api/v1/search', { params: { query }, signal })).then((found) => {
      signal.throwIfAborted();
      return found;
    });
  }

  #take(
    chats: readonly FoundChat[],
    nextChats: string | null,
    messages: readonly FoundMessage[],
    next: string | null,
  ): void {
    this.chats = chats;
    this.#nextChats = nextChats;
    this.messages = messages;
    this.#next = next;
    this.found = this.words;
    this.problem = this.chatsProblem = this.moreProblem = null;
    this.state = 'ready';
  }

  apply(frame: Frame): void {
    if (frame.code === 'NEW_MESSAGE' && this.#isHere(frame.result)) this.#came = Date.now();
    if (!this.active) return;
    if (frame.code === 'RESYNC') void this.load();
    else if (frame.code === 'CHAT_GONE') this.#leave(frame.result.id);
    else if (frame.code === 'CHAT_UPDATE') this.#put(frame.result);
    else if (frame.code === 'NEW_MESSAGE' && this.#mayBelong(frame.result)) this.#again();
    else if (frame.code === 'MESSAGE_STATUS' && !isOutbox(frame.result)) {
      const { id, message_text } = frame.result;
      const shown = this.messages.find((one) => one.message.id === id);
      if (shown ? shown.message.message_text !== message_text : this.#mayBelong(frame.result)) this.#again();
    }
  }

  /** What was found in a chat that became another is found there. */
  #leave(id: string): void {
    const before = this.chats.length + this.messages.length;
    this.chats = this.chats.filter((one) => one.chat.id !== id);
    this.messages = this.messages.filter((one) => one.chat.id !== id);
    if (this.chats.length + this.messages.length < before) this.#again();
  }

  #put(chat: Chat): void {
    const inPlace = <Found extends { chat: Chat }>(one: Found): Found =>
      one.chat.id === chat.id ? { ...one, chat } : one;
    this.chats = this.chats.map(inPlace);
    this.messages = this.messages.map(inPlace);
  }

  #isHere({ chat_id, device_id }: Message): boolean {
    return this.#chat === null ? this.#device === null || device_id === this.#device : chat_id === this.#chat;
  }

  /** As the server would say it, roughly: it is asked then. */
  #mayBelong(message: Message): boolean {
    if (!this.#isHere(message)) return false;
    const folded = message.message_text.normalize('NFKC').toLowerCase();
    const words = this.words.normalize('NFKC').toLowerCase();
    return words.split(/\s+/u).every((word) => folded.includes(word));
  }

  /** Once for many frames, and once more behind the last. */
  #again(): void {
    this.#changing ??= setTimeout(() => {
      this.#changing = undefined;
      this.#refresh();
    }, AGAIN);
    clearTimeout(this.#changed);
    this.#changed = setTimeout(() => this.#refresh(), AT_LAST);
  }

  /** Whoever has scrolled further keeps the place. */
  #refresh(): void {
    const isAtTop = this.chats.length <= BESIDE && this.messages.length <= (this.#chat === null ? PAGE : MOST_IN_CHAT);
    if (this.active && isAtTop) void this.load();
  }
}
