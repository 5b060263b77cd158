/** The chat list of one device or of all: pages from the API, kept in order by the socket. */
import { api, data } from '../api/client';
import { pages, type Page } from '../api/pages';
import type { Chat } from '../api/types';
import { account } from './account.svelte';
import { filterQuery, isRecent, NO_FILTERS, passes, writeFilters, type ChatFilters } from './chat_filters';
import type { LoadState } from './devices.svelte';
import type { Frame } from './frames';
import type { Live } from './live.svelte';
import { More } from './more.svelte';
import { Snapshot } from './snapshot';

const PAGE = 100;
/** Chats fetched again in one go after a gap; whoever scrolled further finds the rest by scrolling. */
const MOST_AT_ONCE = 1000;
/** Typing that was never ended (a phone that lost its line) is forgotten after this long, as phones do. Milliseconds. */
const TYPING_LASTS = 25_000;

/** Pinned first, then by the last message; equal times by id, so that the order never flickers. */
export function compareChats(a: Chat, b: Chat): number {
  if (a.pinned !== b.pinned) return a.pinned ? -1 : 1;
  const [at, bt] = [a.last_message_time ?? '', b.last_message_time ?? ''].map((time) => Date.parse(time) || 0);
  return bt! - at! || Number(b.id) - Number(a.id);
}

/**
 * The list with `changed` put in their places: O(list), as it happens with every message.
 *
 * @param complete whether `list` reaches the end; if not, a chat older than its last one belongs to a page not fetched
 */
export function placeChats(list: readonly Chat[], changed: readonly Chat[], complete: boolean): Chat[] {
  const ids = new Set(changed.map((chat) => chat.id));
  const known = new Set(list.filter((chat) => ids.has(chat.id)).map((chat) => chat.id));
  const rest = list.filter((chat) => !ids.has(chat.id));
  const last = rest.at(-1);
  const incoming = changed
    .filter((chat) => chat.last_message_time !== null)
    .filter((chat) => complete || known.has(chat.id) || last === undefined || compareChats(chat, last) < 0)
    .sort(compareChats);
  const placed: Chat[] = [];
  let next = 0;
  for (const chat of rest) {
    while (next < incoming.length && compareChats(incoming[next]!, chat) < 0) placed.push(incoming[next++]!);
    placed.push(chat);
  }
  return placed.concat(incoming.slice(next));
}

export class Chats {
  list = $state.raw<readonly Chat[]>([]);
  state = $state<LoadState>('loading');
  problem = $state.raw<unknown>(null);
  /** Whether there are archived chats to be shown in their own section. */
  hasArchived = $state(false);
  filters = $state.raw<ChatFilters>(NO_FILTERS);
  /** The chat being read: it stays in the list though reading it took it out of the filter. */
  opened: string | undefined;
  /** The chats that follow. */
  readonly more: More<Page<Chat>>;
  readonly #device: string | null;
  readonly #snapshot: Snapshot;
  readonly #archived: Snapshot;
  readonly #typing = new Map<string, ReturnType<typeof setTimeout>>();

  /** @param device whose chats; null: of all devices there are */
  constructor(device: string | null, live: Live, filters: ChatFilters = NO_FILTERS) {
    this.#device = device;
    this.#snapshot = new Snapshot(live, (frame) => this.apply(frame));
    this.#archived = new Snapshot(live);
    this.more = new More(
      live,
      (after) => this.#page(after),
      (page) => this.#add(page),
      (frame) => this.apply(frame),
    );
    this.filters = filters;
  }

  /** Shows what passes other filters, from the top. */
  refilter(filters: ChatFilters): void {
    if (writeFilters(filters) === writeFilters(this.filters)) return;
    this.filters = filters;
    this.list = [];
    this.more.follows(null);
    this.state = 'loading';
    void this.load();
    void this.#lookForArchived();
  }

  get(id: string): Chat | undefined {
    return this.list.find((chat) => chat.id === id);
  }

  /** Fetches the list and follows it until the result is called. */
  follow(): () => void {
    const ends = [
      this.#snapshot.follow(() => this.load()),
      this.#archived.follow(() => this.#lookForArchived()),
      this.more.retry(),
    ];
    return () => {
      ends.forEach((end) => end());
      this.#typing.forEach((timer) => clearTimeout(timer));
    };
  }

  #page(after?: string): Promise<Page<Chat>> {
    return this.#fetch({ limit: PAGE, after, ...filterQuery(this.filters) });
  }

  #fetch(query: ReturnType<typeof filterQuery> & { limit: number; after?: string | undefined }): Promise<Page<Chat>> {
    const device_id = this.#device === null ? undefined : [this.#device];
    return data(api.GET('/api/v1/chats', { params: { query: { ...query, device_id } } }));
  }

  async #lookForArchived(): Promise<void> {
    try {
      await this.#archived.take(
        () => this.#fetch({ limit: 1, archived: true }),
        (page) => (this.hasArchived = page.items.length > 0),
      );
    } catch {
      // The list is shown without them; they are looked for again soon.
    }
  }

  /** The newest page; after a RESYNC as many as were there, so that what is looked at stays in its place. */
  async load(): Promise<void> {
    try {
      await this.#snapshot.take(
        () => pages((after) => this.#page(after), Math.min(this.list.length, MOST_AT_ONCE)),
        (page) => {
          this.list = placeChats([], page.items, true);
          this.more.follows(page.next);
          this.state = 'ready';
          this.problem = null;
        },
      );
    } catch (error) {
      this.problem = error;
      if (this.list.length === 0) this.state = 'failed';
    }
  }

  #add(page: Page<Chat>): void {
    const known = new Set(this.list.map((chat) => chat.id));
    const added = page.items.filter((chat) => !known.has(chat.id));
    this.list = placeChats(this.list, added, true);
  }

  apply(frame: Frame): void {
    if (frame.code === 'CHAT_GONE') {
      const { id } = frame.result;
      clearTimeout(this.#typing.get(id));
      this.#typing.delete(id);
      this.list = this.list.filter((chat) => chat.id !== id);
    }
    if (frame.code !== 'CHAT_UPDATE') return;
    if (this.#device === null || frame.result.device_id === this.#device) this.put(frame.result);
  }

  /** Takes the newer state of a chat. */
  put(chat: Chat): void {
    if (chat.archived && !this.filters.archived && isRecent(chat, account.chatDays)) this.hasArchived = true;
    const stays = chat.id === this.opened && this.get(chat.id) !== undefined;
    if (stays || passes(chat, this.filters, account.session?.user.id ?? '', account.chatDays))
      this.list = placeChats(this.list, [chat], !this.more.exists);
    else this.list = this.list.filter((old) => old.id !== chat.id);
    clearTimeout(this.#typing.get(chat.id));
    this.#typing.delete(chat.id);
    if (chat.typing !== null && chat.typing !== undefined) {
      const forget = (): void => this.put({ ...(this.get(chat.id) ?? chat), typing: null });
      this.#typing.set(chat.id, setTimeout(forget, TYPING_LASTS));
    }
  }
}
