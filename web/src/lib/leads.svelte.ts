/** The leads of a wish, a page after the other as somebody scrolls, kept current by the socket. */
import { api, data, requestKey } from '../api/client';
import { pages, type Page } from '../api/pages';
import type { ChangeLeads, Lead, LeadFilter, Segment, SkippedLead } from '../api/types';
import { t } from '../i18n/index.svelte';
import { concerns } from './frames';
import type { Live } from './live.svelte';
import { filterOf, NO_WISH, type LeadWish } from './lead_filters';
import { everySegment } from './segments';
import { More } from './more.svelte';
import { Snapshot } from './snapshot';
import { toasts } from './toasts.svelte';

const PAGE = 100;
/** After the last key, before the server is asked. Milliseconds. */
const TYPING_MS = 180;
/** Many changes at once are fetched once. */
const REFRESH_MS = 600;
/** More rows than that are not fetched again by themselves: who scrolls so far looks for something. */
const MOST_REFRESHED = 300;

export class Leads {
  list = $state.raw<readonly Lead[]>([]);
  state = $state<'loading' | 'ready' | 'failed'>('loading');
  problem = $state.raw<unknown>(null);
  /** What is listed was wished for before. */
  stale = $state(false);
  /** How many fit; null while they are counted. */
  count = $state<number | null>(null);
  wish = $state.raw<LeadWish>(NO_WISH);
  segments = $state.raw<readonly Segment[]>([]);
  tags = $state.raw<readonly string[]>([]);
  fields = $state.raw<readonly string[]>([]);
  readonly byId = $derived(new Map(this.list.map((lead) => [lead.id, lead])));
  /** The leads that follow. */
  readonly more: More<Page<Lead>>;
  /** Until nothing more is typed. */
  #typing: ReturnType<typeof setTimeout> | undefined;
  /** Until what has changed is fetched; each has its own, or who types among changes waits for ever. */
  #changing: ReturnType<typeof setTimeout> | undefined;
  #knowsSegments = false;
  readonly #rows: Snapshot;
  readonly #counted: Snapshot;
  readonly #terms: Snapshot;

  constructor(live: Live) {
    this.#rows = new Snapshot(live, (frame) => {
      if (concerns(frame, undefined)) this.#soon();
    });
    this.#counted = new Snapshot(live);
    this.more = new More(
      live,
      (after) => this.#page(after),
      ({ items }) => (this.list = [...this.list, ...items.filter((lead) => !this.byId.has(lead.id))]),
      () => undefined, // what is told of is fetched again
    );
    this.#terms = new Snapshot(live);
  }

  /** The segment that is wished for, once it is known. */
  get segment(): Segment | undefined {
    return this.segments.find((one) => one.id === this.wish.segment);
  }

  get filter(): LeadFilter {
    return filterOf(this.wish, this.segment?.filter);
  }

  /** Fetches what is wished for and follows what changes until the result is called. */
  follow(): () => void {
    const ends = [
      this.#rows.follow(() => this.#again()),
      this.#counted.follow(() => this.#countUp()),
      this.#terms.follow(() => this.loadTerms()),
      this.more.retry(),
    ];
    return () => {
      ends.forEach((end) => end());
      clearTimeout(this.#typing);
      clearTimeout(this.#changing);
    };
  }

  /** Shows the leads of another wish; soon, when only the words changed, as more may be typed. */
  show(wish: LeadWish): void {
    const isTyping = wish.search !== this.wish.search;
    this.wish = wish;
    this.stale = true;
    this.more.follows(null); // they were of another wish
    this.#rows.drop();
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => void this.load(), isTyping ? TYPING_MS : 0);
  }

  #soon(): void {
    this.#changing ??= setTimeout(() => {
      this.#changing = undefined;
      void this.refresh();
    }, REFRESH_MS);
  }

  /** The segment that is wished for is not known yet: nobody is shown then, rather than everybody. */
  get #waits(): boolean {
    return this.wish.segment !== '' && !this.#knowsSegments;
  }

  /** Fetches the first of those who are wished for. */
  async load(): Promise<void> {
    if (this.list.length === 0) this.state = 'loading';
    this.count = null;
    if (this.#waits) return;
    const failed = (error: unknown): void => void ([this.problem, this.state] = [error, 'failed']);
    await Promise.all([this.#fetch(PAGE).catch(failed), this.#countUp()]);
  }

  /** Fetches again what is shown, without moving it. */
  async refresh(): Promise<void> {
    await Promise.all([this.loadTerms(), this.#again(), this.#countUp()]);
  }

  async #again(): Promise<void> {
    if (this.state !== 'ready') return this.load();
    if (this.list.length > MOST_REFRESHED) return;
    await this.#fetch(Math.max(PAGE, this.list.length)).catch(() => undefined); // what is shown stays, and soon is fetched
  }

  async #fetch(wanted: number): Promise<void> {
    await this.#rows.take(
      () => pages((after) => this.#page(after), wanted),
      (found) => {
        this.list = found.items;
        this.more.follows(found.next);
        this.stale = false;
        this.state = 'ready';
      },
    );
  }

  #page(after: string | undefined): Promise<Page<Lead>> {
    const query = { filter: JSON.stringify(this.filter), limit: PAGE, after };
    return data(api.GET('/api/v1/leads', { params: { query } }));
  }

  async #countUp(): Promise<void> {
    if (this.#waits) return;
    const query = { filter: JSON.stringify(this.filter) };
    try {
      await this.#counted.take(
        () => data(api.GET('/api/v1/leads/count', { params: { query } })),
        ({ count }) => (this.count = count),
      );
    } catch {
      // the list is shown without it; it is counted again soon
    }
  }

  async loadTerms(): Promise<void> {
    try {
      await this.#terms.take(
        () => Promise.all([data(api.GET('/api/v1/leads/terms')), everySegment()]),
        ([terms, segments]) => {
          [this.tags, this.fields] = [terms.tags, terms.fields];
          this.#putSegments(segments);
        },
      );
    } catch {
      // the list works without them; they are fetched again soon
    }
  }

  #putSegments(segments: readonly Segment[]): void {
    const waited = this.#waits;
    this.segments = segments;
    this.#knowsSegments = true;
    const isGone = this.wish.segment !== '' && !segments.some((one) => one.id === this.wish.segment);
    if (isGone) {
      this.wish = { ...this.wish, segment: '' };
      toasts.failed(t('leads.segment_gone'));
    }
    if (waited || isGone) void this.load();
  }

  async saveSegment(name: string): Promise<Segment> {
    const params = { header: { 'Idempotency-Key': requestKey() } };
    const body = { name, filter: this.filter };
    const made = await data(api.POST('/api/v1/segments', { params, body }));
    this.segments = [made, ...this.segments];
    void this.loadTerms(); // a list that is on its way does not have it
    return made;
  }

  async removeSegment(id: string): Promise<void> {
    await data(api.DELETE('/api/v1/segments/{segment_id}', { params: { path: { segment_id: id } } }));
    this.segments = this.segments.filter((one) => one.id !== id);
    void this.loadTerms(); // a list that is on its way has it
  }
}

/** A change of many leads, request after request: how far it is can be seen, and it can be stopped. */
export class LeadBulk {
  running = $state.raw<{ done: number; of: number } | null>(null);
  #stopped = false;

  stop(): void {
    this.#stopped = true;
  }

  /**
   * @param bodies requests; one with a filter goes on until all that fit are done
   * @param of how many leads they are for, as far as known
   * @returns how many were changed, for what reasons nothing was done with others, and what takes it back
   */
  async run(
    bodies: readonly ChangeLeads[],
    of: number,
  ): Promise<{ changed: number; skipped: SkippedLead['reason'][]; undo: ChangeLeads[]; problem: unknown }> {
    let changed = 0;
    const skipped: SkippedLead['reason'][] = [];
    let done = 0;
    const undo: ChangeLeads[] = [];
    this.#stopped = false;
    this.running = { done, of };
    try {
      for (const first of bodies) {
        let body: ChangeLeads | null = first;
        while (body !== null && !this.#stopped) {
          const params = { header: { 'Idempotency-Key': requestKey() } };
          const answer: Awaited<ReturnType<typeof send>> = await send(params, body);
          changed += answer.changed;
          done += answer.changed + answer.unchanged + answer.skipped.length;
          skipped.push(...answer.skipped.map((one) => one.reason));
          undo.push(...(answer.undo as ChangeLeads[]));
          this.running = { done, of: Math.max(of, done) };
          body = answer.next === null ? null : { ...body, after: answer.next };
        }
      }
      return { changed, skipped, undo, problem: null };
    } catch (problem) {
      return { changed, skipped, undo, problem };
    } finally {
      this.running = null;
    }
  }
}

function send(params: { header: { 'Idempotency-Key': string } }, body: ChangeLeads) {
  return data(api.POST('/api/v1/leads/bulk', { params, body }));
}
