/** One campaign on its page: kept current by the socket; its report and its estimate are fetched again as it moves. */
import { api, data } from '../api/client';
import { Problem } from '../api/problem';
import type { Campaign, CampaignEstimate, CampaignReport } from '../api/types';
import { act, hasBegun, isOver, left, type Action } from './campaigns';
import { isDeleted, type Frame } from './frames';
import type { Live } from './live.svelte';
import { answered, Snapshot } from './snapshot';

/** Milliseconds between two looks at what is too much for every frame; of a large campaign it takes the server seconds. */
const REPORT_EVERY = { small: 5000, large: 60_000 };
const LARGE = 50_000;
/** What comes at once is looked at together. */
const TOGETHER = 300;
/** Over how long a rate is measured. */
const RATE_OVER = 60_000;

export class CampaignView {
  campaign = $state.raw<Campaign | null>(null);
  report = $state.raw<CampaignReport | null>(null);
  estimate = $state.raw<CampaignEstimate | null>(null);
  problem = $state.raw<unknown>(null);
  gone = $state(false);
  /** Messages a minute, over the last minute this page has seen; null before it can say. */
  rate = $state<number | null>(null);
  readonly #id: string;
  readonly #live: Live;
  readonly #snapshot: Snapshot;
  #seen: [at: number, left: number][] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #following = false;
  #lookedAt = -Infinity;
  /** Rises with every look: one that was overtaken says nothing. */
  #looks = 0;
  /** The next look is at the campaign as well. */
  #whole = false;

  constructor(id: string, live: Live) {
    this.#id = id;
    this.#live = live;
    this.#snapshot = new Snapshot(live, (frame) => this.#apply(frame));
  }

  /** When it will be done, as far as anybody can say: not while nothing of it can leave. */
  get finishesAt(): Date | null {
    const at = this.campaign?.standstill ? null : this.estimate?.finishes_at;
    return at ? new Date(at) : null;
  }

  /** Fetches it and follows it until the result is called. */
  follow(): () => void {
    this.#following = true;
    const end = this.#snapshot.follow(() => this.load());
    return () => {
      this.#following = false;
      clearTimeout(this.#timer);
      end();
    };
  }

  async load(): Promise<void> {
    this.#whole = false;
    const params = { path: { campaign_id: this.#id } };
    try {
      await this.#snapshot.take(
        () => data(api.GET('/api/v1/campaigns/{campaign_id}', { params })),
        (found) => {
          this.#put(found);
          this.problem = null;
        },
      );
      await this.#look();
    } catch (error) {
      if (error instanceof Problem && error.status === 404) this.gone = true;
      else if (this.campaign === null) this.problem = error;
    }
  }

  /** Has it start, pause, go on or end. */
  async decide(action: Action): Promise<void> {
    await answered(
      this.#live,
      () => act(this.#id, action),
      (found) => this.#put(found),
      (frame) => this.#apply(frame),
    );
  }

  /** What a request answered, or a frame said. */
  #put(campaign: Campaign): void {
    if (this.campaign !== null && this.campaign.state !== campaign.state) this.#soon(true);
    this.campaign = campaign;
    const at = Date.now();
    this.#seen = [...this.#seen.filter(([then]) => at - then < RATE_OVER), [at, left(campaign)]];
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    if (first && last && last[0] - first[0] > 5000) this.rate = ((last[1] - first[1]) / (last[0] - first[0])) * 60_000;
  }

  #apply(frame: Frame): void {
    // a device that goes or comes moves no row, but says whether any can leave
    if (frame.code.startsWith('DEVICE_') && this.campaign?.state === 'running') {
      this.#whole = true;
      this.#soon();
    }
    if (frame.code !== 'CAMPAIGN_UPDATE' || frame.result.id !== this.#id) return;
    if (isDeleted(frame.result)) this.gone = true;
    else {
      this.#put(frame.result);
      this.#soon();
    }
  }

  /** @param atOnce however short the last look is ago: it began, or is over */
  #soon(atOnce = false): void {
    const pause = REPORT_EVERY[(this.campaign?.counts.total ?? 0) > LARGE ? 'large' : 'small'];
    const wait = atOnce ? 0 : this.#lookedAt + pause - Date.now();
    if (atOnce) this.#drop();
    this.#timer ??= setTimeout(() => void (this.#whole ? this.load() : this.#look()), Math.max(TOGETHER, wait));
  }

  #drop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    this.#drop();
    const campaign = this.campaign;
    if (campaign === null || !this.#following) return;
    this.#lookedAt = Date.now();
    const number = (this.#looks += 1);
    const params = { path: { campaign_id: this.#id } };
    try {
      const [report, estimate] = await Promise.all([
        hasBegun(campaign) ? data(api.GET('/api/v1/campaigns/{campaign_id}/report', { params })) : null,
        isOver(campaign) ? null : data(api.GET('/api/v1/campaigns/{campaign_id}/estimate', { params })),
      ]);
      if (number !== this.#looks) return;
      this.report = report;
      this.estimate = estimate;
    } catch {
      // The counts above are live all the same; the next frame asks again.
    }
  }
}
