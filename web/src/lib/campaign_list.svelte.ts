/** The workspace's campaigns, kept current by the socket; older ones on demand. */
import { api, data } from '../api/client';
import type { Campaign } from '../api/types';
import { isDeleted, type Frame } from './frames';
import type { Live } from './live.svelte';
import { answered, Snapshot } from './snapshot';

const PAGE = 50;

export class CampaignList {
  /** Newest first; null before the first answer. */
  items = $state.raw<readonly Campaign[] | null>(null);
  next = $state.raw<string | null>(null);
  problem = $state.raw<unknown>(null);
  loading = $state(false);
  search = '';
  readonly #live: Live;
  readonly #snapshot: Snapshot;

  constructor(live: Live) {
    this.#live = live;
    this.#snapshot = new Snapshot(live, (frame) => this.#apply(frame));
  }

  /** Fetches the first page and follows it until the result is called. */
  follow(): () => void {
    return this.#snapshot.follow(() => this.load());
  }

  async load(): Promise<void> {
    const query = { limit: PAGE, ...(this.search === '' ? {} : { search: this.search }) };
    try {
      await this.#snapshot.take(
        () => data(api.GET('/api/v1/campaigns', { params: { query } })),
        (page) => {
          this.items = page.items;
          this.next = page.next;
          this.problem = null;
        },
      );
    } catch (error) {
      if (this.items === null) this.problem = error;
    }
  }

  async more(): Promise<void> {
    const after = this.next;
    if (after === null || this.loading) return;
    this.loading = true;
    const query = { limit: PAGE, after, ...(this.search === '' ? {} : { search: this.search }) };
    try {
      await answered(
        this.#live,
        () => data(api.GET('/api/v1/campaigns', { params: { query } })),
        (page) => {
          if (this.next !== after) return; // it was looked for something else meanwhile
          const known = new Set(this.items?.map((one) => one.id));
          this.items = [...(this.items ?? []), ...page.items.filter((one) => !known.has(one.id))];
          this.next = page.next;
        },
        (frame) => this.#apply(frame),
      );
    } finally {
      this.loading = false;
    }
  }

  #apply(frame: Frame): void {
    if (frame.code !== 'CAMPAIGN_UPDATE' || this.items === null) return;
    const found = frame.result;
    if (isDeleted(found)) this.items = this.items.filter((one) => one.id !== found.id);
    else if (this.items.some((one) => one.id === found.id))
      this.items = this.items.map((one) => (one.id === found.id ? found : one));
    else if (this.#belongs(found)) this.items = [found, ...this.items];
  }

  /** A new one; what is older than the pages that were fetched is not put in front. */
  #belongs(campaign: Campaign): boolean {
    const newest = this.items?.[0];
    const fits = campaign.name.toLowerCase().includes(this.search.toLowerCase());
    return fits && (newest === undefined || BigInt(campaign.id) > BigInt(newest.id));
  }
}
