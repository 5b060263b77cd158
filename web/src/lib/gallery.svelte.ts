/** What was sent in a chat or on a device, of one kind: pages from the API, kept up to date by the socket. */
import { api, data } from '../api/client';
import type { Page } from '../api/pages';
import type { Message } from '../api/types';
import type { LoadState } from './devices.svelte';
import type { Frame } from './frames';
import { isOutbox } from './frames';
import { belongs, type GalleryKind } from './gallery_rows';
import type { Live } from './live.svelte';
import { compareMessages } from './messages';
import { answered, Snapshot } from './snapshot';

const PAGE = 60;

/** A chat of a device, or all of them. */
export interface GallerySource {
  device: string;
  chat: string | null;
}

export class Gallery {
  /** Newest first. */
  items = $state.raw<readonly Message[]>([]);
  state = $state<LoadState>('loading');
  problem = $state.raw<unknown>(null);
  /** Why it breaks off where more follows. */
  moreProblem = $state.raw<unknown>(null);
  #next = $state<string | null>(null);
  #loadingMore = false;
  readonly #source: GallerySource;
  readonly #kind: GalleryKind;
  readonly #live: Live;
  readonly #snapshot: Snapshot;

  constructor(source: GallerySource, kind: GalleryKind, live: Live) {
    this.#source = source;
    this.#kind = kind;
    this.#live = live;
    this.#snapshot = new Snapshot(live, (frame) => this.apply(frame));
  }

  get hasMore(): boolean {
    return this.#next !== null;
  }

  /** Fetches the first page and follows it until the result is called. */
  follow(): () => void {
    const end = this.#snapshot.follow(() => this.load());
    const again = this.#live.whenLive(() => this.moreProblem && void this.more());
    return () => {
      end();
      again();
    };
  }

  async load(): Promise<void> {
    try {
      await this.#snapshot.take(
        () => this.#pagesTo(this.items.at(-1)),
        (page) => {
          this.items = page.items;
          this.#next = page.next;
          this.state = 'ready';
          this.problem = this.moreProblem = null;
        },
      );
      if (this.items.length === 0) await this.more();
    } catch (error) {
      this.problem = error;
      if (this.state !== 'ready') this.state = 'failed';
    }
  }

  /** As far as was seen: whoever looked far back stays there, and what is open stays among what is beside it. */
  async #pagesTo(oldest: Message | undefined): Promise<Page<Message>> {
    let { items, next } = await this.#page();
    const isBehind = (): boolean => items.length === 0 || compareMessages(items.at(-1)!, oldest!) > 0;
    while (oldest !== undefined && next !== null && isBehind()) {
      const page = await this.#page(next);
      items = [...items, ...page.items];
      next = page.next;
    }
    return { items, next };
  }

  /** The next pages until one has something: a long chat is looked through a part at a time. */
  async more(): Promise<void> {
    if (this.#loadingMore) return;
    this.#loadingMore = true;
    try {
      const before = this.items.length;
      while (this.#next !== null && this.items.length === before) {
        const after = this.#next;
        await answered(
          this.#live,
          () => this.#page(after),
          (page) => this.#next === after && this.#add(page),
          (frame) => this.apply(frame),
        );
      }
      this.moreProblem = null;
    } catch (error) {
      this.moreProblem = error;
    } finally {
      this.#loadingMore = false;
    }
  }

  #add(page: Page<Message>): void {
    const known = new Set(this.items.map((one) => one.id));
    this.items = [...this.items, ...page.items.filter((one) => !known.has(one.id))];
    this.#next = page.next;
  }

  #page(after?: string): Promise<Page<Message>> {
    const query = { kind: this.#kind, limit: PAGE, after };
    const { device, chat } = this.#source;
    if (chat === null)
      return data(api.GET('/api/v1/devices/{device_id}/media', { params: { path: { device_id: device }, query } }));
    return data(api.GET('/api/v1/chats/{chat_id}/media', { params: { path: { chat_id: chat }, query } }));
  }

  apply(frame: Frame): void {
    if (frame.code === 'CHAT_GONE') {
      const { became, device_id } = frame.result;
      if (this.#source.chat === null ? this.#source.device === device_id : this.#source.chat === became)
        void this.load();
    }
    if (frame.code !== 'NEW_MESSAGE' && frame.code !== 'MESSAGE_STATUS') return;
    const { result } = frame;
    if (isOutbox(result) || !this.#covers(result)) return;
    const rest = this.items.filter((one) => one.id !== result.id);
    if (!belongs(result, this.#kind)) {
      if (rest.length < this.items.length) this.items = rest;
      return;
    }
    const oldest = rest.at(-1);
    if (rest.length === this.items.length && this.hasMore && oldest && compareMessages(result, oldest) < 0) return;
    this.items = [...rest, result].sort((a, b) => compareMessages(b, a));
  }

  #covers(message: Message): boolean {
    const { device, chat } = this.#source;
    return chat === null ? message.device_id === device : message.chat_id === chat;
  }
}
