/** A test of a campaign, followed until it has left or never will. */
import { api, data } from '../api/client';
import type { Outbox } from '../api/types';
import { t, told, type MessageKey } from '../i18n/index.svelte';
import { heldWords } from './campaign_words';
import { sendTest } from './campaigns';
import { isOutbox, type Frame } from './frames';
import type { Live } from './live.svelte';
import { showPhone } from './phone';
import type { Place } from './time';

/** Milliseconds a test may take before it is said what it waits for. */
const PATIENCE = 4000;
const ON_ITS_WAY: readonly Outbox['state'][] = ['queued', 'sending'];
const SENT: readonly Outbox['state'][] = ['sent', 'delivered', 'read'];

export class Trial {
  /** Null before the first one was sent. */
  row = $state.raw<Outbox | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #live: Live;

  constructor(live: Live) {
    this.#live = live;
  }

  /** Hears what becomes of it, until the result is called. */
  follow(): () => void {
    const end = this.#live.subscribe((frame) => this.#hear(frame));
    return () => {
      end();
      clearTimeout(this.#timer);
    };
  }

  /** Sends the campaign's message to one number. */
  async send(campaignId: string, to: string): Promise<void> {
    this.row = null;
    clearTimeout(this.#timer);
    this.row = await sendTest(campaignId, to);
    this.#timer = setTimeout(() => void this.#look(), PATIENCE);
    await this.#look(); // what was told before its id was known
  }

  #hear(frame: Frame): void {
    if (frame.code === 'RESYNC') void this.#look();
    if (frame.code !== 'NEW_MESSAGE' && frame.code !== 'MESSAGE_STATUS') return;
    const id = isOutbox(frame.result) ? frame.result.id : frame.result.outbox_id;
    if (id !== null && id === this.row?.id) void this.#look();
  }

  async #look(): Promise<void> {
    const asked = this.row;
    if (asked === null || !ON_ITS_WAY.includes(asked.state)) return;
    const params = { path: { outbox_id: asked.id } };
    // without an answer it is as it was; the next news asks again
    const found = await data(api.GET('/api/v1/outbox/{outbox_id}', { params })).catch(() => asked);
    if (this.row?.id === asked.id && ON_ITS_WAY.includes(this.row.state)) this.row = found;
  }
}

/** Whether nothing is to be awaited, and nobody has got it. */
export function isLost(row: Outbox): boolean {
  return !ON_ITS_WAY.includes(row.state) && !SENT.includes(row.state);
}

/** What became of a test so far. */
export function trialWords(row: Outbox, now: Date, place: Place): string {
  const to = showPhone(row.to_jid);
  if (SENT.includes(row.state)) return t('campaigns.test_sent', { to });
  if (row.state === 'unknown') return t('outbox.unknown');
  if (isLost(row)) {
    const reason = told(row.cause, row.reason) ?? t(`outbox.${row.state}` as MessageKey);
    return t('campaigns.test_failed', { to, reason });
  }
  const way = t('campaigns.test_on_way', { to });
  return row.held_by ? `${way} ${heldWords(row.held_by, now, place)}` : way;
}
