/**
 * What leaves from this browser, chat by chat. It outlives the conversation it was written in: what has not reached the
 * server yet, a file on its way or words written without a network, is sent though another chat is looked at. Words
 * outlive the page too, as browsers end pages without asking: the next one sends them, under the same keys.
 */
import { api, data, requestKey } from '../api/client';
import { Problem } from '../api/problem';
import type { Message, Outbox } from '../api/types';
import { t } from '../i18n/index.svelte';
import type { Attachment } from './attachment.svelte';
import type { Drafts } from './drafts';
import type { Live } from './live.svelte';
import type { Recording } from './recording.svelte';
import * as sending from './sending';
import { explain, toasts } from './toasts.svelte';
import { resolve } from './unknown';
import { isLong } from './upload';

/** Before what the network did not carry is tried again by itself, doubled each time up to the longest. Milliseconds. */
const SHORTEST_WAIT = 2000;
const LONGEST_WAIT = 30_000;
/** The server knows a key for a day; what may have reached it longer ago is sent again only by a person. Milliseconds. */
const KEY_LIVES = 23 * 3_600_000;
/** Names of drafts: this, the chat, the bubble's key. */
const KEPT = 'unsent-';

/** Where the messages of a chat go. */
export interface Target {
  device_id: string;
  to: string;
}

/**
 * Whether it is posted again by itself, with the same key so that it cannot be sent twice: nobody knows whether it was
 * taken, or the server says when to come back. Where the server fails (500) or is full (507) a person decides, with its
 * reason.
 */
function repeats(error: unknown): boolean {
  return error instanceof Problem && error.mayPass && error.status !== 500 && error.status !== 507;
}

/** What leaves in one chat. */
export class Outgoing {
  sending = $state.raw<sending.Sending>(sending.NOTHING_SENT);
  /** A voice note begun here, neither sent nor thrown away. */
  recording = $state.raw<Recording | null>(null);
  /** Files that were chosen here, with their captions, and neither sent nor put back. */
  files = $state.raw<Attachment[]>([]);
  #target: Target | null = null;
  /** Where each went that may have been taken: who asks again with its key says the same. */
  readonly #asked = new Map<string, Target>();
  #viewers = 0;
  readonly #lines = { text: Promise.resolve(), short: Promise.resolve(), long: Promise.resolve() };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  readonly #attachments = new Map<string, Attachment>();
  readonly #chat: string;
  readonly #drafts: Drafts | null;

  /** @param drafts where words are kept that have not reached the server */
  constructor(chat: string, drafts: Drafts | null = null) {
    this.#chat = chat;
    this.#drafts = drafts;
    const left = drafts?.under(`${KEPT}${chat}-`).map(([, text]) => JSON.parse(text) as sending.Bubble) ?? [];
    left.sort((a, b) => a.created_at.localeCompare(b.created_at));
    this.sending = sending.restored(sending.NOTHING_SENT, left);
  }

  /** Whether something would be lost with this page, or wait for the next one. */
  get isUnsent(): boolean {
    return (
      this.recording !== null || this.files.length > 0 || this.sending.bubbles.some((bubble) => bubble.row === null)
    );
  }

  /** The chat is looked at, until the result is called: then what the server has is the server's to show again. */
  open(): () => void {
    this.#viewers += 1;
    return () => {
      this.#viewers -= 1;
      if (this.#viewers > 0) return;
      this.#step(sending.closed);
    };
  }

  /** Says where its messages go, which is not known before the chat was fetched. */
  aim(target: Target): void {
    const isNew = this.#target === null;
    this.#target = target;
    if (isNew) this.goOn();
  }

  /** Puts a text in line; its bubble stands at the instant `written`. */
  text(words: string, quoted: string | null, written: string): void {
    const draft: sending.Draft = { type: 'text', text: words, quoted_message_id: quoted, preview: null };
    this.#begin(requestKey(), draft, written);
  }

  /** Puts a file with its caption in line; it may still be on its way to the server. */
  file(attachment: Attachment, quoted: string | null, written: string): void {
    const { key, kind, caption, preview, file } = attachment;
    const draft: sending.Draft = {
      type: kind,
      text: caption.trim(),
      quoted_message_id: quoted,
      preview,
      name: kind === 'document' ? file.name : null,
    };
    this.#attachments.set(key, attachment);
    this.#begin(key, draft, written);
  }

  /** The file of a bubble, as long as it is being sent. */
  attachment(bubble: sending.Bubble): Attachment | null {
    return this.#attachments.get(bubble.key) ?? null;
  }

  /** News of a row, from a frame or a fetched list. */
  take(row: Outbox): void {
    this.#step(sending.rowChanged, row);
  }

  /** A message is there: its bubble goes. */
  settle(message: Message): void {
    this.#step(sending.messageArrived, message);
  }

  /** Tries again what was not sent: posts what the server never took, else asks it to send the row once more. */
  async retry(bubble: sending.Bubble): Promise<void> {
    if (bubble.row === null) return this.#again(bubble.key);
    const params = { path: { outbox_id: bubble.row.id } };
    this.take(await data(api.POST('/api/v1/outbox/{outbox_id}/retry', { params })));
  }

  /** A person has found out whether something arrived of which nobody could say. */
  async resolve(bubble: sending.Bubble, arrived: boolean): Promise<void> {
    if (bubble.row !== null) this.take(await resolve(bubble.row.id, arrived));
  }

  /** Takes back what has not left yet; what has left meanwhile stays. */
  async cancel(bubble: sending.Bubble): Promise<void> {
    if (bubble.row !== null) {
      const params = { path: { outbox_id: bubble.row.id } };
      const row = await data(api.POST('/api/v1/outbox/{outbox_id}/cancel', { params }));
      if (row.state !== 'cancelled') return this.take(row);
    }
    this.#step(sending.discarded, bubble.key);
  }

  /** Posts what the network did not carry, in the order it was written. */
  goOn(): void {
    clearTimeout(this.#timer);
    const lost = this.sending.bubbles.filter((bubble) => bubble.lost);
    if (lost.length > 0 && this.#target === null) return void this.#seek();
    for (const { key, created_at } of lost) {
      if (Date.now() - Date.parse(created_at) > KEY_LIVES) this.#step(sending.refused, key, t('unsent.too_old'));
      else void this.#again(key);
    }
  }

  /** Asks where the chat's messages go: nobody has opened it on this page. */
  async #seek(): Promise<void> {
    try {
      const params = { path: { chat_id: this.#chat } };
      const { device_id, chat_jid: to } = await data(api.GET('/api/v1/chats/{chat_id}', { params }));
      this.aim({ device_id, to });
    } catch (error) {
      if (error instanceof Problem && error.mayPass) return this.#later();
      for (const { key, lost } of this.sending.bubbles) if (lost) this.#step(sending.refused, key, explain(error));
    }
  }

  /**
   * Takes what another chat had left, that became part of this one. What is on its way is asked for here once more, under
   * its key.
   */
  takeOver(other: Outgoing): void {
    const { sending: left, recording: spoken } = other;
    for (const [key, attachment] of other.#attachments) this.#attachments.set(key, attachment);
    for (const [key, target] of other.#asked) this.#asked.set(key, target);
    // of two the one that runs is being spoken into
    const [kept, rest] = this.recording?.state === 'recording' ? [this.recording, spoken] : [spoken, this.recording];
    this.recording = kept ?? rest;
    if (kept !== null) rest?.drop();
    this.#step(sending.joined, left);
    other.#attachments.clear();
    other.recording = null;
    this.files = [...this.files, ...other.files];
    other.files = [];
    other.drop();
    for (const { key } of left.bubbles) other.#forget(key);
    this.goOn();
  }

  /** Another page of this browser sent it, or took it off. */
  gone(key: string): void {
    if (this.#bubble(key)?.row === null) this.#step(sending.discarded, key);
  }

  /** Ends what is on its way here; words stay kept for the next page. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#attachments.forEach((one) => one.drop());
    this.#attachments.clear();
    this.files.forEach((one) => one.drop());
    this.files = [];
    this.recording?.drop();
    this.recording = null;
    this.sending = sending.NOTHING_SENT;
  }

  #begin(key: string, draft: sending.Draft, written: string): void {
    const waits = this.#attachments.has(key);
    // what was written before leaves before
    this.goOn();
    this.#step(sending.drafted, key, draft, written, waits);
    void this.#enqueue(key);
  }

  #again(key: string): Promise<void> {
    this.#step(sending.retried, key);
    return this.#enqueue(key);
  }

  #bubble(key: string): sending.Bubble | undefined {
    return this.sending.bubbles.find((one) => one.key === key);
  }

  /** Texts leave in their order, files in theirs, and files that take long in theirs: nothing waits for those. */
  #enqueue(key: string): Promise<void> {
    const file = this.#attachments.get(key)?.file;
    const line = file === undefined ? 'text' : isLong(file) ? 'long' : 'short';
    return (this.#lines[line] = this.#lines[line].then(() => this.#post(key)));
  }

  async #post(key: string): Promise<void> {
    const bubble = this.#bubble(key);
    if (bubble?.row !== null) return;
    const { type, text, quoted_message_id, name } = bubble.draft;
    if (type === 'reaction' || type === 'edit' || type === 'delete') return;
    if (this.#target === null || this.#isBehind(bubble)) return this.#step(sending.lost, key);
    const attachment = this.#attachments.get(key);
    try {
      const media_id = attachment ? (await attachment.stored()).media_id : null;
      if (!this.#bubble(key)) return;
      this.#step(sending.leaving, key);
      const target = this.#asked.get(key) ?? this.#target;
      this.#asked.set(key, target);
      const row = await data(
        api.POST('/api/v1/messages', {
          params: { header: { 'Idempotency-Key': key } },
          body: { ...target, type, text, media_id, file_name: name, quoted_message_id, priority: 'reply' },
        }),
      );
      this.#failures = 0;
      if (this.#viewers > 0) this.#step(sending.posted, key, row);
      else this.#step(sending.discarded, key);
    } catch (error) {
      this.#failed(key, error);
    }
  }

  /** Words that were written before are not there yet: these wait for them. */
  #isBehind(bubble: sending.Bubble): boolean {
    const words = this.sending.bubbles.filter((one) => one.draft.type === 'text');
    const place = words.indexOf(bubble);
    return words.some((one, index) => index < place && one.lost);
  }

  #failed(key: string, error: unknown): void {
    if (!this.#bubble(key)) return;
    if (repeats(error)) {
      this.#step(sending.lost, key);
      return this.#later();
    }
    this.#asked.delete(key);
    this.#step(sending.refused, key, explain(error));
    if (this.#viewers === 0) toasts.error(error);
  }

  #later(): void {
    clearTimeout(this.#timer);
    const wait = Math.min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** this.#failures++);
    this.#timer = setTimeout(() => this.goOn(), wait);
  }

  /** What happened, with what belongs to it; bubbles that are kept for the next page follow. */
  #step<What extends unknown[]>(
    happened: (state: sending.Sending, ...what: What) => sending.Sending,
    ...what: What
  ): void {
    const next = happened(this.sending, ...what);
    const known = new Set(this.sending.bubbles);
    const kept = new Set(next.bubbles.map((bubble) => bubble.key));
    for (const { key } of this.sending.bubbles) if (!kept.has(key)) this.#forget(key);
    for (const bubble of next.bubbles) if (!known.has(bubble)) this.#keep(bubble);
    this.sending = next;
  }

  #keep(bubble: sending.Bubble): void {
    const isWords = bubble.row === null && bubble.draft.type === 'text';
    this.#drafts?.put(this.#name(bubble.key), isWords ? JSON.stringify(bubble) : '');
  }

  #name(key: string): string {
    return `${KEPT}${this.#chat}-${key}`;
  }

  #forget(key: string): void {
    this.#asked.delete(key);
    this.#attachments.get(key)?.drop();
    this.#attachments.delete(key);
    this.#drafts?.put(this.#name(key), '');
  }
}

/** What leaves in all chats of a workspace. */
export class OutgoingChats {
  readonly #chats = new Map<string, Outgoing>();
  readonly #live: Live;
  readonly #drafts: Drafts;

  constructor(live: Live, drafts: Drafts) {
    this.#live = live;
    this.#drafts = drafts;
    for (const [name] of drafts.under(KEPT)) this.of(name.split('-')[0]!);
  }

  of(chat: string): Outgoing {
    let found = this.#chats.get(chat);
    if (found === undefined) this.#chats.set(chat, (found = new Outgoing(chat, this.#drafts)));
    return found;
  }

  /** Which chats have something that has not left. */
  get unsent(): string[] {
    return [...this.#chats].flatMap(([id, chat]) => (chat.isUnsent ? [id] : []));
  }

  /** All of the chat `from` is in the chat `into` now. */
  move(from: string, into: string): void {
    const left = this.#chats.get(from);
    if (left === undefined) return;
    this.#chats.delete(from);
    this.of(into).takeOver(left);
  }

  /** Goes on whenever there is a connection, and keeps the page from being closed over what is unsent, until the result
   * is called. */
  follow(): () => void {
    const ends = [
      this.#live.whenLive(() => this.#chats.forEach((chat) => chat.goOn())),
      this.#drafts.whenGone((name) => {
        const [chat, key] = name.slice(KEPT.length).split('-');
        if (name.startsWith(KEPT)) this.#chats.get(chat!)?.gone(key!);
      }),
    ];
    addEventListener('beforeunload', this.#warn);
    return () => {
      ends.forEach((end) => end());
      removeEventListener('beforeunload', this.#warn);
      this.#chats.forEach((chat) => chat.drop());
    };
  }

  /** Whether something would be lost with this page, or wait for the next one. */
  get isUnsent(): boolean {
    return this.unsent.length > 0;
  }

  readonly #warn = (event: BeforeUnloadEvent): void => {
    if (this.isUnsent) event.preventDefault();
  };
}
