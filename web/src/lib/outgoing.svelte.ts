/**
 * What leaves from this browser, chat by chat. It outlives the conversation it was written in: what has not reached the
 * server yet, a file on its way or words written without a network, is sent though another chat is looked at.
 */
import { api, data, requestKey } from '../api/client';
import { Problem } from '../api/problem';
import type { Message, Outbox } from '../api/types';
import type { Attachment } from './attachment.svelte';
import type { Live } from './live.svelte';
import * as sending from './sending';
import { explain, toasts } from './toasts.svelte';

/** Before what the network did not carry is tried again by itself, doubled each time up to the longest. Milliseconds. */
const SHORTEST_WAIT = 2000;
const LONGEST_WAIT = 30_000;

/** Where the messages of a chat go. */
export interface Target {
  device_id: string;
  to: string;
}

/** What leaves in one chat. */
export class Outgoing {
  sending = $state.raw<sending.Sending>(sending.NOTHING_SENT);
  #target: Target | null = null;
  #viewers = 0;
  #texts: Promise<void> = Promise.resolve();
  #files: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  readonly #attachments = new Map<string, Attachment>();
  /** How often a bubble was refused: an answer that was a refusal must not be given again to the next try. */
  readonly #refusals = new Map<string, number>();

  /** Whether something would be lost with this page. */
  get isUnsent(): boolean {
    return this.sending.bubbles.some((bubble) => bubble.row === null);
  }

  /** The chat is looked at, until the result is called: then what the server has is the server's to show again. */
  open(): () => void {
    this.#viewers += 1;
    return () => {
      this.#viewers -= 1;
      if (this.#viewers > 0) return;
      this.#step({ ...this.sending, bubbles: this.sending.bubbles.filter((bubble) => bubble.row === null) });
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
    this.#step(sending.rowChanged(this.sending, row));
  }

  /** A message is there: its bubble goes. */
  settle(message: Message): void {
    this.#step(sending.messageArrived(this.sending, message));
  }

  /** Tries again what was not sent: posts what the server never took, else asks it to send the row once more. */
  async retry(bubble: sending.Bubble): Promise<void> {
    if (bubble.row === null) {
      this.#step(sending.retried(this.sending, bubble.key));
      await this.#enqueue(bubble.key);
      return;
    }
    const params = { path: { outbox_id: bubble.row.id } };
    this.take(await data(api.POST('/api/v1/outbox/{outbox_id}/retry', { params })));
  }

  /** Takes back what has not left yet; what has left meanwhile stays. */
  async cancel(bubble: sending.Bubble): Promise<void> {
    if (bubble.row !== null) {
      const params = { path: { outbox_id: bubble.row.id } };
      const row = await data(api.POST('/api/v1/outbox/{outbox_id}/cancel', { params }));
      if (row.state !== 'cancelled') return this.take(row);
    }
    this.#step(sending.discarded(this.sending, bubble.key));
  }

  /** Posts what the network did not carry, in the order it was written. */
  goOn(): void {
    clearTimeout(this.#timer);
    if (this.#target === null) return;
    for (const { key } of this.sending.bubbles.filter((bubble) => bubble.lost)) {
      this.#step(sending.retried(this.sending, key));
      void this.#enqueue(key);
    }
  }

  /** Ends what is on its way. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#step(sending.NOTHING_SENT);
  }

  #begin(key: string, draft: sending.Draft, written: string): void {
    const waits = this.#attachments.has(key);
    // what was written before leaves before
    this.goOn();
    this.#step(sending.drafted(this.sending, key, draft, written, waits));
    void this.#enqueue(key);
  }

  /** Texts leave in their order, and files in theirs, however long each takes. */
  #enqueue(key: string): Promise<void> {
    if (this.#attachments.has(key)) return (this.#files = this.#files.then(() => this.#post(key)));
    return (this.#texts = this.#texts.then(() => this.#post(key)));
  }

  async #post(key: string): Promise<void> {
    const bubble = this.sending.bubbles.find((one) => one.key === key);
    if (!bubble || bubble.row !== null) return;
    const { type, text, quoted_message_id, name } = bubble.draft;
    if (type === 'reaction' || type === 'edit' || type === 'delete') return;
    if (this.#target === null) return this.#step(sending.lost(this.sending, key));
    const attachment = this.#attachments.get(key);
    const once = `${key}-${this.#refusals.get(key) ?? 0}`;
    try {
      const media_id = attachment ? (await attachment.stored()).media_id : null;
      if (!this.sending.bubbles.some((one) => one.key === key)) return;
      this.#step(sending.leaving(this.sending, key));
      const row = await data(
        api.POST('/api/v1/messages', {
          params: { header: { 'Idempotency-Key': once } },
          body: { ...this.#target, type, text, media_id, file_name: name, quoted_message_id, priority: 'reply' },
        }),
      );
      this.#failures = 0;
      this.#step(this.#viewers > 0 ? sending.posted(this.sending, key, row) : sending.discarded(this.sending, key));
    } catch (error) {
      this.#failed(key, error);
    }
  }

  #failed(key: string, error: unknown): void {
    // Status 0 got no answer: the same key again, so that it cannot be sent twice.
    if (error instanceof Problem && error.status === 0) {
      if (!this.sending.bubbles.some((one) => one.key === key)) return;
      this.#step(sending.lost(this.sending, key));
      clearTimeout(this.#timer);
      const wait = Math.min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** this.#failures++);
      this.#timer = setTimeout(() => this.goOn(), wait);
      return;
    }
    this.#refusals.set(key, (this.#refusals.get(key) ?? 0) + 1);
    this.#step(sending.refused(this.sending, key, explain(error)));
    if (this.#viewers === 0) toasts.error(error);
  }

  #step(next: sending.Sending): void {
    const kept = new Set(next.bubbles.map((bubble) => bubble.key));
    for (const { key } of this.sending.bubbles) if (!kept.has(key)) this.#forget(key);
    this.sending = next;
  }

  #forget(key: string): void {
    this.#attachments.get(key)?.drop();
    this.#attachments.delete(key);
    this.#refusals.delete(key);
  }
}

/** What leaves in all chats of a workspace. */
export class OutgoingChats {
  readonly #chats = new Map<string, Outgoing>();
  readonly #live: Live;

  constructor(live: Live) {
    this.#live = live;
  }

  of(chat: string): Outgoing {
    let found = this.#chats.get(chat);
    if (found === undefined) this.#chats.set(chat, (found = new Outgoing()));
    return found;
  }

  /** Goes on whenever there is a connection, and keeps the page from being closed over what is unsent, until the result
   * is called. */
  follow(): () => void {
    const end = this.#live.whenLive(() => this.#chats.forEach((chat) => chat.goOn()));
    addEventListener('beforeunload', this.#warn);
    return () => {
      end();
      removeEventListener('beforeunload', this.#warn);
      this.#chats.forEach((chat) => chat.drop());
    };
  }

  readonly #warn = (event: BeforeUnloadEvent): void => {
    if ([...this.#chats.values()].some((chat) => chat.isUnsent)) event.preventDefault();
  };
}
