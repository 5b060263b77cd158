/** Who writes in a chat, as a lead, kept current by the socket. */
import { api, data, requestKey } from '../api/client';
import type { Chat, ChatLead } from '../api/types';
import { concerns, isDeleted, type Frame } from './frames';
import type { Live } from './live.svelte';
import { BY_PERSON } from './opt_out_words';
import { Snapshot } from './snapshot';

/** Between two fetches while messages leave: campaigns move with every one. Milliseconds. */
const FIGURES = 2000;

export class LeadOfChat {
  /** null until it is known. */
  shown = $state.raw<ChatLead | null>(null);
  problem = $state.raw<unknown>(null);
  readonly #chat: string;
  readonly #snapshot: Snapshot;
  /** Of the campaigns that were heard of, each one's last. */
  readonly #states = new Map<string, string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(chat: string, live: Live) {
    this.#chat = chat;
    this.#snapshot = new Snapshot(live, (frame) => this.#apply(frame));
  }

  /** Fetches it and follows it until the result is called. */
  follow(): () => void {
    const end = this.#snapshot.follow(() => this.load());
    return () => {
      end();
      clearTimeout(this.#timer);
    };
  }

  #apply(frame: Frame): void {
    const id = this.shown?.lead?.id;
    // somebody may have made a lead of the person, or wants no more messages, without our knowing its id
    if (concerns(frame, id)) void this.load();
    else if (id !== undefined && this.#writesTo(frame)) this.#soon();
  }

  /** Whether a sequence or campaign moved that may write to the lead. */
  #writesTo(frame: Frame): boolean {
    if (frame.code !== 'CAMPAIGN_UPDATE') return frame.code === 'SEQUENCE_UPDATE';
    const campaign = frame.result;
    if (this.shown?.campaigns.some((one) => one.campaign_id === campaign.id)) return true;
    if (isDeleted(campaign)) return false;
    // the lead may be among those it is for; later news of the same state are of others
    const known = this.#states.get(campaign.id) === campaign.state;
    this.#states.set(campaign.id, campaign.state);
    return !known;
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => void this.load(), FIGURES);
  }

  async load(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const params = { path: { chat_id: this.#chat } };
    try {
      await this.#snapshot.take(
        () => data(api.GET('/api/v1/chats/{chat_id}/lead', { params })),
        (shown) => ([this.shown, this.problem] = [shown, null]),
      );
    } catch (error) {
      this.problem = error;
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
    await data(api.POST('/api/v1/suppressions', { params, body: { phone, reason: BY_PERSON } }));
    await this.load();
  }

  /** @throws Problem */
  async unsuppress(phone: string): Promise<void> {
    await data(api.DELETE('/api/v1/suppressions/{phone}', { params: { path: { phone } } }));
    await this.load();
  }
}
