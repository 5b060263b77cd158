/** What is done to messages of an open chat: asked of the server, shown at once, and taken back with the reason when it fails. */
import { api, data, requestKey } from '../api/client';
import { Problem } from '../api/problem';
import type { Message, Outbox } from '../api/types';
import { t, told } from '../i18n/index.svelte';
import * as changes from './changes';
import { toasts } from './toasts.svelte';

export class MessageActions {
  changes = $state.raw<changes.Changes>([]);
  /** JID of the line, which its reactions carry */
  own = $state<string | null>(null);
  readonly #heard = new Set<string>();
  readonly #keep: (message_id: string, text: string, isOver: boolean) => void;

  /**
   * @param keep told of the text of a change that could not be made, by WhatsApp's id of the message, and whether the
   * message can't be changed any more
   */
  constructor(keep: (message_id: string, text: string, isOver: boolean) => void = () => undefined) {
    this.#keep = keep;
  }

  /** Gives the emoji, or takes it back when it is there already. */
  async react(message: Message, emoji: string): Promise<void> {
    const now = changes.ownReaction(changes.withChanges([message], this.changes, this.own)[0]!, this.own);
    const text = now === emoji ? '' : emoji;
    await this.#begin(message, 'reaction', text, (params) =>
      api.POST('/api/v1/messages/{message_id}/react', { params, body: { emoji: text } }),
    );
  }

  async edit(message: Message, text: string): Promise<void> {
    if (text === message.message_text) return;
    await this.#begin(message, 'edit', text, (params) =>
      api.POST('/api/v1/messages/{message_id}/edit', { params, body: { text } }),
    );
  }

  async remove(message: Message): Promise<void> {
    await this.#begin(message, 'delete', '', (params) => api.POST('/api/v1/messages/{message_id}/delete', { params }));
  }

  /** @param key of the wish: asked again after an answer was lost, it is not sent twice */
  async forward(message: Message, chat: string, key: string): Promise<void> {
    const params = { path: { message_id: message.id }, header: { 'Idempotency-Key': key } };
    await data(api.POST('/api/v1/messages/{message_id}/forward', { params, body: { chat_ids: [chat] } }));
  }

  /** Tells who sent a voice note that it was heard, once. Courtesy: nobody waits for it. */
  played(message: Message): void {
    if (this.#heard.has(message.id)) return;
    this.#heard.add(message.id);
    const params = { path: { message_id: message.id } };
    api.POST('/api/v1/messages/{message_id}/played', { params }).catch(() => undefined);
  }

  async #begin(message: Message, kind: changes.ChangeKind, text: string, ask: Ask): Promise<void> {
    const key = requestKey();
    this.changes = changes.begun(this.changes, { key, kind, target: message.message_id, text, row: null });
    try {
      const row = await data(ask({ path: { message_id: message.id }, header: { 'Idempotency-Key': key } }));
      this.changes = changes.posted(this.changes, key, row);
    } catch (error) {
      this.changes = changes.dropped(this.changes, key);
      toasts.error(error);
      if (kind === 'edit') this.#keep(message.message_id, text, !(error instanceof Problem && error.mayPass));
    }
  }

  /** News of a row that changes a message. */
  take(row: Outbox): void {
    const { state, failed } = changes.rowChanged(this.changes, row);
    this.changes = state;
    if (!failed) return;
    if (row.type === 'edit' && row.target_message_id)
      this.#keep(row.target_message_id, row.text, row.state === 'expired');
    const reason = told(row.cause, row.reason) ?? t(row.state === 'expired' ? 'act.expired' : 'act.not_done');
    toasts.failed(t(`act.failed_${row.type as changes.ChangeKind}`, { reason }));
  }

  settle(messages: readonly Message[]): void {
    this.changes = changes.messagesArrived(this.changes, messages, this.own);
  }

  shown(messages: readonly Message[]): readonly Message[] {
    return changes.withChanges(messages, this.changes, this.own);
  }
}

type Ask = (params: {
  path: { message_id: string };
  header: { 'Idempotency-Key': string };
}) => Promise<{ data?: Outbox; error?: unknown; response: Response }>;
