/** Who writes in a chat, as a lead, kept current by the socket. */
import { api, data, requestKey } from '../api/client';
import type { Chat, ChatLead } from '../api/types';
import { concerns } from './frames';
import type { Live } from './live.svelte';

export class LeadOfChat {
  /** null until it is known. */
  shown = $state.raw<ChatLead | null>(null);
  problem = $state.raw<unknown>(null);
  readonly #chat: string;
  readonly #live: Live;
  #run = 0;

  constructor(chat: string, live: Live) {
    this.#chat = chat;
    this.#live = live;
  }

  /** Fetches it and follows it until the result is called. */
  follow(): () => void {
    void this.load();
    return this.#live.subscribe((frame) => {
      const id = this.shown?.lead?.id;
      // somebody may have made a lead of the person, or wants no more messages, without our knowing its id
      if (concerns(frame, id)) void this.load();
      if (frame.code === 'SEQUENCE_UPDATE' && id !== undefined) void this.load();
    });
  }

  async load(): Promise<void> {
    const run = ++this.#run;
    const params = { path: { chat_id: this.#chat } };
    try {
      const shown = await data(api.GET('/api/v1/chats/{chat_id}/lead', { params }));
      if (run === this.#run) [this.shown, this.problem] = [shown, null];
    } catch (error) {
      if (run === this.#run) this.problem = error;
    }
  }

  /**
   * Makes a lead of the person; the chat's device writes to it.
   *
   * @throws Problem
   */
  async create(chat: Chat): Promise<void> {
    const params = { header: { 'Idempotency-Key': requestKey() } };
    const { phone } = this.shown ?? {};
    const body = {
      phone: phone ?? '',
      name: chat.chat_name ?? '',
      device_id: chat.device_id,
      target_status: 'prospect' as const,
    };
    await data(api.POST('/api/v1/leads', { params, body }));
    await this.load();
  }

  /** @throws Problem */
  async suppress(phone: string): Promise<void> {
    const params = { header: { 'Idempotency-Key': requestKey() } };
    await data(api.POST('/api/v1/suppressions', { params, body: { phone, reason: 'by a person' } }));
    await this.load();
  }

  /** @throws Problem */
  async unsuppress(phone: string): Promise<void> {
    await data(api.DELETE('/api/v1/suppressions/{phone}', { params: { path: { phone } } }));
    await this.load();
  }
}
