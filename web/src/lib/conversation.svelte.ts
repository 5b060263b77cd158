/** One open chat: its messages, reading and typing. */
import { api, data } from '../api/client';
import { Problem } from '../api/problem';
import type { Chat, Message, MessageWindow, Outbox } from '../api/types';
import type { Asked } from './ahead';
import { isOutbox, type Frame } from './frames';
import type { Attachment } from './attachment.svelte';
import { isChange } from './changes';
import type { LoadState } from './devices.svelte';
import type { Live } from './live.svelte';
import { MessageActions } from './message_actions.svelte';
import { messagePage, type PlaceOfPage } from './message_page';
import { placeMessages, rejoinMessages } from './messages';
import { Outgoing } from './outgoing.svelte';
import { answered, Snapshot } from './snapshot';
import { unreadLine, type UnreadLine } from './timeline';

/** The most the server gives at once, to reach the first of many unread messages. */
const LARGEST_PAGE = 200;
/** WhatsApp shows "typing" for some 25 s; telling it again every 10 s keeps it up. Milliseconds. */
const TYPING_AGAIN = 10_000;
const TYPING_PAUSE = 5000;

export class Conversation {
  messages = $state.raw<readonly Message[]>([]);
  state = $state<LoadState>('loading');
  problem = $state.raw<unknown>(null);
  /** It is no more: its device was deleted. */
  gone = $state(false);
  /** It is no more: it is part of this other chat of the same person. */
  became = $state<string | null>(null);
  chat = $state.raw<Chat | null>(null);
  unread = $state.raw<UnreadLine | null>(null);
  loadingOlder = $state(false);
  /** Why it breaks off where older ones, or newer ones, follow. */
  olderProblem = $state.raw<unknown>(null);
  newerProblem = $state.raw<unknown>(null);
  /** The message to be looked at, where somebody asked for one; a new object each time. */
  sought = $state.raw<{ id: string } | null>(null);
  /** The last time messages came live, and how many of others; also when they lie beyond what is loaded. */
  arrived = $state.raw<{ received: number } | null>(null);
  #next = $state<string | null>(null);
  #previous = $state<string | null>(null);
  #loadingNewer = false;
  /** How often one went elsewhere: what was fetched for the place before does not belong here. */
  #moves = 0;
  /** The chat as a list has it, which its frames keep as it is: it need not be fetched to begin with. */
  #known: Chat | null;
  /** Its newest messages, where they were asked for before it was opened. */
  #asked: Asked | null;
  /** The messages are here, or could not be had. */
  #loaded: Promise<void> = Promise.resolve();
  /** Where to begin, instead of at the newest message. */
  #start: string | null = null;
  readonly id: string;
  readonly actions: MessageActions;
  readonly live: Live;
  /** What leaves in this chat. */
  readonly outgoing: Outgoing;
  readonly #snapshot: Snapshot;
  /** Jumps, apart from the one above: what they fetch must not make a catching up be dropped. */
  readonly #jumps: Snapshot;
  /** What has not left yet, beside the messages: nobody waits for it to read. */
  readonly #rows: Snapshot;
  readonly #created: (message: Message) => void;
  /** Told of already: frames are applied once more on top of what was fetched meanwhile. */
  readonly #told = new WeakSet<Message>();
  /** How often marking it read left something unread, which came before the answer did. */
  marked = $state(0);
  #marking = false;
  /** Whether all below the line above what is new was seen. */
  #seen = false;
  #typingAt = 0;
  #typingTimer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param outgoing what leaves in this chat, also when it is left
   * @param arrived told of every message of others that arrives while the chat is open
   * @param actions what is done to its messages
   * @param known the chat, where a list has it that is kept up to date
   * @param asked its newest messages, where they were asked for already
   */
  constructor(
    id: string,
    live: Live,
    outgoing = new Outgoing(id),
    arrived: (message: Message) => void = () => undefined,
    actions = new MessageActions(),
    known: Chat | null = null,
    asked: Asked | null = null,
  ) {
    this.actions = actions;
    this.id = id;
    this.live = live;
    this.outgoing = outgoing;
    this.#known = known;
    this.#asked = asked;
    this.#created = arrived;
    this.#snapshot = new Snapshot(live, (frame) => this.apply(frame));
    this.#jumps = new Snapshot(live, (frame) => this.apply(frame));
    this.#rows = new Snapshot(live, (frame) => this.#applyRow(frame));
  }

  get hasOlder(): boolean {
    return this.#next !== null;
  }

  /** What is loaded ends before the newest message. */
  get hasNewer(): boolean {
    return Boolean(this.#previous);
  }

  /** Fetches chat and messages and follows them until the result is called. */
  follow(): () => void {
    if (this.#known) this.#is(this.#known);
    const ends = [
      this.outgoing.open(),
      this.#snapshot.follow(() => (this.#loaded = this.load())),
      this.#rows.follow(() => this.#loadRows()),
      this.live.whenLive(() => {
        if (this.olderProblem) void this.older();
        if (this.newerProblem) void this.newer();
      }),
    ];
    return () => {
      ends.forEach((one) => one());
      this.#stopTyping();
    };
  }

  async load(): Promise<void> {
    const first = this.state !== 'ready';
    const start = this.#start;
    const moves = this.#moves;
    const overtaken = start === null ? (this.#asked?.frames ?? []) : [];
    try {
      await this.#snapshot.take(
        () => this.#fetch(),
        ([chat, page]) => {
          this.#is(chat);
          if (moves !== this.#moves) return void this.load();
          const complete = page.next === null;
          const newest = this.messages.at(-1)?.id;
          const whole = first || this.hasNewer || Boolean(page.previous);
          this.messages = whole ? placeMessages([], page.items) : rejoinMessages(this.messages, page.items, complete);
          if (whole || this.messages.length === page.items.length) this.#next = page.next;
          this.#previous = page.previous;
          overtaken.forEach((frame) => this.apply(frame));
          if (!whole && this.messages.at(-1)?.id !== newest) this.#tellArrived(newest);
          for (const message of page.items) this.outgoing.settle(message);
          this.actions.settle(page.items);
          if (first && !this.hasNewer) this.unread = unreadLine(this.messages, chat.unread_count);
          this.state = 'ready';
          this.problem = this.olderProblem = this.newerProblem = null;
          if (first) this.#begin(start, page.target);
        },
      );
    } catch (error) {
      this.problem = error;
      if (error instanceof Problem && error.status === 404) await this.#lost();
      if (this.state !== 'ready') this.state = 'failed';
    }
  }

  /** Looks at where it began, or where somebody asked to begin meanwhile. */
  #begin(start: string | null, target: string | null | undefined): void {
    if (this.#start !== null && this.#start !== start)
      this.show(this.#start).catch(() => undefined); // not kept: the newest are shown, as for any other beginning
    else if (target) this.sought = { id: target };
  }

  /** Finds out whether it is no more, or part of another; where nobody can say, that is tried again. */
  async #lost(): Promise<void> {
    try {
      const { id } = await this.#fetchChat();
      if (id !== this.id) this.became = id;
    } catch (error) {
      this.gone = error instanceof Problem && error.status === 404;
    }
  }

  #fetchChat(): Promise<Chat> {
    return data(api.GET('/api/v1/chats/{chat_id}', { params: { path: { chat_id: this.id } } }));
  }

  /** Its number may have become known meanwhile: what is written from now on goes there. */
  #is(chat: Chat): void {
    this.chat = chat;
    this.outgoing.aim({ device_id: chat.device_id, to: chat.chat_jid });
  }

  #tellArrived(after: string | undefined): void {
    const index = this.messages.findIndex((one) => one.id === after);
    this.arrived = { received: this.messages.slice(index + 1).filter((one) => !one.from_me).length };
  }

  async #fetch(): Promise<[Chat, MessageWindow]> {
    const known = this.#known;
    this.#known = null;
    const [chat, page] = await Promise.all([known ?? this.#fetchChat(), this.#firstPage()]);
    return [chat, this.state === 'ready' ? page : await this.#withUnread(page, chat.unread_count)];
  }

  async #loadRows(): Promise<void> {
    try {
      await this.#rows.take(
        // messages first, which are waited for
        () => this.#loaded.then(() => this.#openRows()),
        (rows) => rows.forEach((row) => this.#row(row)),
      );
    } catch {
      // Its frames tell of each as it moves; the others are fetched again soon.
    }
  }

  /** The page with what is before it, where more is unread than it has: the line above the first unread needs them all. */
  async #withUnread(page: MessageWindow, count: number): Promise<MessageWindow> {
    const reaches = count <= 0 || unreadLine(placeMessages([], page.items), count) !== null;
    if (reaches || page.next === null || page.previous) return page;
    const older = await this.#page({ after: page.next, limit: LARGEST_PAGE });
    return { ...page, items: [...page.items, ...older.items], next: older.next };
  }

  #page(place: PlaceOfPage = {}): Promise<MessageWindow> {
    return messagePage(this.id, place);
  }

  /** The newest messages, unless one reads elsewhere: then what lies around that place, if it is still kept. */
  async #firstPage(): Promise<MessageWindow> {
    const middle = this.hasNewer ? this.messages[this.messages.length >> 1]?.id : null;
    const place = this.state === 'ready' ? middle : this.#start;
    const asked = this.#asked;
    this.#asked = null;
    if (!place) return asked?.page ?? this.#page();
    try {
      return await this.#page({ around: place });
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return this.#page();
      throw error;
    }
  }

  async #openRows(): Promise<Outbox[]> {
    const params = { path: { chat_id: this.id }, query: { limit: LARGEST_PAGE } };
    return (await data(api.GET('/api/v1/chats/{chat_id}/outbox', { params }))).items;
  }

  /** Older messages, when there are any. */
  async older(): Promise<void> {
    const after = this.#next;
    if (after === null || this.loadingOlder || this.state !== 'ready') return;
    this.loadingOlder = true;
    try {
      await answered(
        this.live,
        () => this.#page({ after }),
        (page) => {
          if (this.#next !== after) return;
          this.messages = placeMessages(this.messages, page.items);
          this.#next = page.next;
        },
        (frame) => this.apply(frame),
      );
      this.olderProblem = null;
    } catch (error) {
      this.olderProblem = error;
    } finally {
      this.loadingOlder = false;
    }
  }

  /** What follows the last message loaded, when it is not the newest. */
  async newer(): Promise<void> {
    const before = this.#previous;
    if (!before || this.#loadingNewer || this.state !== 'ready') return;
    this.#loadingNewer = true;
    try {
      await answered(
        this.live,
        () => this.#page({ before }),
        (page) => {
          if (this.#previous !== before) return;
          this.messages = placeMessages(this.messages, page.items);
          this.#previous = page.previous;
        },
        (frame) => this.apply(frame),
      );
      this.newerProblem = null;
    } catch (error) {
      this.newerProblem = error;
    } finally {
      this.#loadingNewer = false;
    }
  }

  /**
   * Has a message looked at, fetched with what lies around it where it is not loaded.
   *
   * @param target its id, WhatsApp's id of it, or an instant: then the first message not before it
   * @throws Problem 404 when it is not kept
   */
  async show(target: string): Promise<void> {
    const known = this.messages.find((one) => one.id === target || one.message_id === target);
    if (known) {
      this.#jumps.drop();
      this.sought = { id: known.id };
    } else if (this.state !== 'ready') {
      this.#start = target;
    } else {
      await this.#replace({ around: target });
    }
  }

  /** Back to the newest messages. */
  async newest(): Promise<void> {
    if (this.hasNewer) await this.#replace({});
    else this.#jumps.drop();
  }

  async #replace(query: { around?: string }): Promise<void> {
    await this.#jumps.take(
      () => this.#page(query),
      (page) => {
        this.#moves += 1;
        this.messages = placeMessages([], page.items);
        this.#next = page.next;
        this.#previous = page.previous;
        this.olderProblem = this.newerProblem = null;
        if (page.target) this.sought = { id: page.target };
      },
    );
  }

  /**
   * Messages of others came while nobody looked. The line above what is new stands there until the chat is left; once all
   * was seen, the next begins a new one.
   */
  missed(count: number): void {
    if (this.unread !== null && !this.#seen) this.unread = { ...this.unread, count: this.unread.count + count };
    else if (!this.hasNewer) {
      this.unread = unreadLine(this.messages, count);
      this.#seen = false;
    }
  }

  apply(frame: Frame): void {
    switch (frame.code) {
      case 'NEW_MESSAGE':
        if (frame.result.chat_id === this.id) this.#arrive(frame.result, true);
        break;
      case 'MESSAGE_STATUS':
        if (frame.result.chat_id === this.id && !isOutbox(frame.result)) this.#arrive(frame.result, false);
        break;
      case 'MESSAGE_GONE': {
        const gone = frame.result.id;
        if (frame.result.chat_id === this.id) this.messages = this.messages.filter((one) => one.id !== gone);
        break;
      }
      case 'CHAT_GONE':
        if (frame.result.id === this.id) this.became = frame.result.became;
        if (frame.result.became === this.id) void this.load();
        break;
      case 'CHAT_UPDATE':
        if (frame.result.id === this.id) this.#is(frame.result);
    }
  }

  #applyRow(frame: Frame): void {
    if (frame.code !== 'MESSAGE_STATUS' || frame.result.chat_id !== this.id) return;
    if (isOutbox(frame.result)) this.#row(frame.result);
  }

  #row(row: Outbox): void {
    if (isChange(row)) this.actions.take(row);
    else this.outgoing.take(row);
  }

  #arrive(message: Message, isNew: boolean): void {
    const fresh = !this.messages.some((known) => known.id === message.id);
    const newest = this.messages.at(-1);
    // A change of a message that was never fetched belongs to an older page.
    if (fresh && this.hasOlder && newest && message.timestamp < this.messages[0]!.timestamp) return;
    // Between what is loaded and the newest there is a gap, which scrolling down fills.
    const beyond = fresh && this.hasNewer && newest && message.timestamp > newest.timestamp;
    if (!beyond) this.messages = placeMessages(this.messages, [message]);
    this.outgoing.settle(message);
    this.actions.settle([message]);
    if (!fresh || !isNew || this.#told.has(message)) return;
    this.#told.add(message);
    if (!message.from_me) this.#created(message);
    // of those of one second the last to come may stand anywhere
    if (!newest || message.timestamp >= newest.timestamp) this.arrived = { received: message.from_me ? 0 : 1 };
  }

  /** The instant a new bubble stands at: below everything there is, also when this computer's clock is slow. */
  #written(): string {
    return new Date(Math.max(Date.now(), (this.messages.at(-1)?.timestamp ?? 0) * 1000)).toISOString();
  }

  /** Sends a text, at once visible as a bubble. */
  send(text: string, quoted: string | null): void {
    this.outgoing.text(text, quoted, this.#written());
    this.#stopTyping();
    this.newest().catch(() => undefined); // it is sent all the same
  }

  /** Sends a file with its caption, at once visible as a bubble; it may still be on its way to the server. */
  sendFile(attachment: Attachment, quoted: string | null): void {
    this.outgoing.file(attachment, quoted, this.#written());
    this.newest().catch(() => undefined); // it is sent all the same
  }

  /** Tells the server, and through it the phone and the sender, that what is unread was seen. */
  async markRead(): Promise<void> {
    if (this.#marking || !this.chat || this.chat.unread_count === 0) return;
    this.#marking = true;
    try {
      await answered(
        this.live,
        () => data(api.POST('/api/v1/chats/{chat_id}/read', { params: { path: { chat_id: this.id } } })),
        (chat) => this.#is(chat),
        (frame) => this.apply(frame),
      );
      if (this.chat.unread_count > 0) this.marked += 1;
      else this.#seen = true;
    } catch {
      // It stays unread; looking at it again tries again.
    } finally {
      this.#marking = false;
    }
  }

  /** To be called with every key typed. */
  typing(): void {
    clearTimeout(this.#typingTimer);
    this.#typingTimer = setTimeout(() => this.#stopTyping(), TYPING_PAUSE);
    if (Date.now() - this.#typingAt < TYPING_AGAIN) return;
    this.#typingAt = Date.now();
    this.#tellTyping('composing');
  }

  #stopTyping(): void {
    clearTimeout(this.#typingTimer);
    if (this.#typingAt === 0) return;
    this.#typingAt = 0;
    this.#tellTyping('paused');
  }

  /** A voice note is being recorded, or is not any more. */
  recording(on: boolean): void {
    clearTimeout(this.#typingTimer);
    this.#typingAt = on ? Date.now() : 0;
    this.#tellTyping(on ? 'recording' : 'paused');
  }

  /** Nobody waits for this, and an offline device refuses it: it is only courtesy. */
  #tellTyping(state: 'composing' | 'recording' | 'paused'): void {
    const call = api.POST('/api/v1/chats/{chat_id}/typing', {
      params: { path: { chat_id: this.id } },
      body: { state },
    });
    call.catch(() => undefined);
  }
}
