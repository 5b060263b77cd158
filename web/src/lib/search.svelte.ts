/** What is looked for and what was found: each letter typed replaces the search before it. */
import { api, data } from '../api/client';
import type { Page } from '../api/pages';
import type { Chat, Found, FoundChat, FoundMessage, Message } from '../api/types';
import { isOutbox, type Frame } from './frames';
import type { LoadState } from './devices.svelte';
import type { Live } from './live.svelte';
import { More } from './more.svelte';
import { Snapshot } from './snapshot';

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
const NOTHING: Found = { chats: [], chats_next: null, messages: { items: [], next: null } };

export class Search {
  /** What is looked for; empty when nothing is. */
  words = $state('');
  state = $state<LoadState>('ready');
  problem = $state.raw<unknown>(null);
  chats = $state.raw<readonly FoundChat[]>([]);
  messages = $state.raw<readonly FoundMessage[]>([]);
  /** What `chats` and `messages` were found for. */
  found = $state('');
  readonly moreChats: More<Page<FoundChat>>;
  readonly moreMessages: More<Page<FoundMessage>>;
  /** Until nothing more is typed. */
  #typing: ReturnType<typeof setTimeout> | undefined;
  /** Until what may belong here is looked for, and looked for once more. */
  #changing: ReturnType<typeof setTimeout> | undefined;
  #changed: ReturnType<typeof setTimeout> | undefined;
  /** When a message came last, also while nothing was looked for: the index may not have it yet. */
  #came = 0;
  readonly #device: string | null;
  readonly #chat: string | null;
  readonly #snapshot: Snapshot;

  /**
   * @param device only this one's; null for all
   * @param chat only messages of this one; null for all
   */
  constructor(device: string | null, live: Live, chat: string | null = null) {
    this.#device = device;
    this.#chat = chat;
    const apply = (frame: Frame): void => this.apply(frame);
    this.#snapshot = new Snapshot(live, apply);
    this.moreChats = new More(
      live,
      (after) => this.#nextChats(after),
      ({ items }) => {
        const known = new Set(this.chats.map((one) => one.chat.id));
        this.chats = this.chats.concat(items.filter((one) => !known.has(one.chat.id)));
      },
      apply,
    );
    this.moreMessages = new More(
      live,
      (after) => this.#fetch(after).then((found) => found.messages),
      ({ items }) => {
        const known = new Set(this.messages.map((one) => one.message.id));
        this.messages = this.messages.concat(items.filter((one) => !known.has(one.message.id)));
      },
      apply,
    );
  }

  get active(): boolean {
    return this.words !== '';
  }

  /** Keeps what was found up to date until the result is called. */
  follow(): () => void {
    this.#came = Date.now(); // nobody has told of what came before
    const ends = [this.#snapshot.follow(() => this.load()), this.moreMessages.retry(), this.moreChats.retry()];
    return () => {
      ends.forEach((end) => end());
      this.look('');
    };
  }

  /** Looks for these words soon. */
  look(typed: string): void {
    const words = typed.trim();
    if (words === this.words) return;
    this.words = words;
    this.#snapshot.drop();
    clearTimeout(this.#typing);
    if (words === '') this.#take(NOTHING);
    else {
      this.state = 'loading';
      this.moreChats.follows(null);
      this.moreMessages.follows(null);
      this.#typing = setTimeout(() => void this.load(), DELAY);
      if (Date.now() - this.#came < AT_LAST) this.#again();
    }
  }

  /** @param isWanted whether what is found shall be shown by then */
  async load(isWanted = (): boolean => true): Promise<void> {
    if (!this.active) return;
    try {
      await this.#snapshot.take(
        () => this.#fetch(),
        (found) => isWanted() && this.#take(found),
      );
    } catch (error) {
      this.problem = error;
      if (this.state !== 'ready') this.state = 'failed';
    }
    await Promise.all([
      this.messages.length < ENOUGH && this.moreMessages.load(() => this.messages.length >= ENOUGH),
      this.chats.length < BESIDE && this.moreChats.load(() => this.chats.length >= BESIDE),
    ]);
  }

  #fetch(after?: string) {
    const place =
      this.#chat === null ? { device_id: this.#device ?? undefined } : { chat_id: this.#chat, limit: MOST_IN_CHAT };
    const query = { q: this.words.slice(0, 200), ...place, after };
    return data(api.GET('/api/v1/search', { params: { query } }));
  }

  #nextChats(after: string): Promise<Page<FoundChat>> {
    const query = { q: this.words.slice(0, 200), device_id: this.#device ?? undefined, limit: PAGE, after };
    return data(api.GET('/api/v1/search/chats', { params: { query } }));
  }

  #take({ chats, chats_next, messages }: Found): void {
    this.chats = chats;
    this.moreChats.follows(chats_next);
    this.messages = messages.items;
    this.moreMessages.follows(messages.next);
    this.found = this.words;
    this.problem = null;
    this.state = 'ready';
  }

  apply(frame: Frame): void {
    if (frame.code === 'NEW_MESSAGE' && this.#isHere(frame.result)) this.#came = Date.now();
    if (!this.active) return;
    if (frame.code === 'CHAT_GONE') this.#leave(frame.result.id);
    else if (frame.code === 'MESSAGE_GONE') this.#drop(frame.result.id);
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

  #drop(id: string): void {
    this.messages = this.messages.filter((one) => one.message.id !== id);
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

  /** Whoever has scrolled further, also by the time of the answer, keeps the place. */
  #refresh(): void {
    if (this.#isAtTop) void this.load(() => this.#isAtTop);
  }

  get #isAtTop(): boolean {
    return this.chats.length <= BESIDE && this.messages.length <= (this.#chat === null ? PAGE : MOST_IN_CHAT);
  }
}
