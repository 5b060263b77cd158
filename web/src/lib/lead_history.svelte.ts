/** What was noted of a lead and what it was sent, kept current by the socket. */
import { api, data } from '../api/client';
import type { LeadNote, LeadSend } from '../api/types';
import { concerns } from './frames';
import type { Live } from './live.svelte';
import { Snapshot } from './snapshot';

/** The newest of each; nobody reads more in a panel. */
const PAGE = 100;

export class LeadHistory {
  /** null until they are known. */
  notes = $state.raw<readonly LeadNote[] | null>(null);
  sends = $state.raw<readonly LeadSend[] | null>(null);
  problem = $state.raw<unknown>(null);
  readonly #lead: string;
  readonly #snapshot: Snapshot;

  constructor(lead: string, live: Live) {
    this.#lead = lead;
    this.#snapshot = new Snapshot(live, (frame) => concerns(frame, lead) && void this.load());
  }

  /** Fetches them and follows them until the result is called. */
  follow(): () => void {
    return this.#snapshot.follow(() => this.load());
  }

  async load(): Promise<void> {
    const params = { path: { lead_id: this.#lead }, query: { limit: PAGE } };
    try {
      await this.#snapshot.take(
        () =>
          Promise.all([
            data(api.GET('/api/v1/leads/{lead_id}/notes', { params })),
            data(api.GET('/api/v1/leads/{lead_id}/sends', { params })),
          ]),
        ([notes, sends]) => ([this.notes, this.sends, this.problem] = [notes.items, sends.items, null]),
      );
    } catch (error) {
      this.problem = error;
    }
  }
}
