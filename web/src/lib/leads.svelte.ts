/** The leads of a wish, a page after the other as somebody scrolls, kept current by the socket. */
import { api, data, requestKey } from '../api/client';
import type { ChangeLeads, Lead, LeadFilter, Segment } from '../api/types';
import { concerns } from './frames';
import type { Live } from './live.svelte';
import { filterOf, NO_WISH, type LeadWish } from './lead_filters';

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
  /** How many fit; null while they are counted. */
  count = $state<number | null>(null);
  wish = $state.raw<LeadWish>(NO_WISH);
  segments = $state.raw<readonly Segment[]>([]);
  tags = $state.raw<readonly string[]>([]);
  fields = $state.raw<readonly string[]>([]);
  readonly byId = $derived(new Map(this.list.map((lead) => [lead.id, lead])));
  #next: string | null = null;
  #more = false;
  #run = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #live: Live;

  constructor(live: Live) {
    this.#live = live;
  }

  get filter(): LeadFilter {
    return filterOf(this.wish, this.segments.find((one) => one.id === this.wish.segment)?.filter);
  }

  /** Follows what changes until the result is called. */
  follow(): () => void {
    const end = this.#live.subscribe((frame) => {
      if (concerns(frame, undefined)) this.#later(REFRESH_MS, () => void this.refresh());
    });
    void this.loadTerms();
    return () => {
      end();
      clearTimeout(this.#timer);
    };
  }

  /** Shows the leads of another wish; soon, when only the words changed, as more may be typed. */
  show(wish: LeadWish): void {
    const isTyping = wish.search !== this.wish.search;
    this.wish = wish;
    this.#later(isTyping ? TYPING_MS : 0, () => void this.load());
  }

  #later(wait: number, work: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(work, wait);
  }

  async load(): Promise<void> {
    const run = ++this.#run;
    if (this.list.length === 0) this.state = 'loading';
    this.count = null;
    try {
      const query = { filter: JSON.stringify(this.filter), limit: PAGE };
      const page = await data(api.GET('/api/v1/leads', { params: { query } }));
      if (run !== this.#run) return;
      this.list = page.items;
      this.#next = page.next;
      this.state = 'ready';
      await this.#countUp(run);
    } catch (error) {
      if (run !== this.#run) return;
      this.problem = error;
      this.state = 'failed';
    }
  }

  async #countUp(run: number): Promise<void> {
    const query = { filter: JSON.stringify(this.filter) };
    const { count } = await data(api.GET('/api/v1/leads/count', { params: { query } }));
    if (run === this.#run) this.count = count;
  }

  /** Fetches again what is shown, without moving it. */
  async refresh(): Promise<void> {
    const wanted = Math.max(PAGE, this.list.length);
    void this.loadTerms();
    if (this.state !== 'ready' || wanted > MOST_REFRESHED) return this.state === 'ready' ? undefined : this.load();
    const run = ++this.#run;
    try {
      const found: Lead[] = [];
      let after: string | null = null;
      do {
        const query: { filter: string; limit: number; after?: string } = {
          filter: JSON.stringify(this.filter),
          limit: PAGE,
        };
        if (after !== null) query.after = after;
        const page = await data(api.GET('/api/v1/leads', { params: { query } }));
        found.push(...page.items);
        after = page.next;
      } while (after !== null && found.length < wanted);
      if (run !== this.#run) return;
      this.list = found;
      this.#next = after;
      await this.#countUp(run);
    } catch {
      // what is shown stays; the next change, or the next connection, fetches it again
    }
  }

  async loadMore(): Promise<void> {
    if (this.#more || this.#next === null || this.state !== 'ready') return;
    this.#more = true;
    const run = this.#run;
    try {
      const query = { filter: JSON.stringify(this.filter), limit: PAGE, after: this.#next };
      const page = await data(api.GET('/api/v1/leads', { params: { query } }));
      if (run !== this.#run) return;
      this.list = [...this.list, ...page.items.filter((lead) => !this.byId.has(lead.id))];
      this.#next = page.next;
    } catch {
      // scrolling on asks again
    } finally {
      this.#more = false;
    }
  }

  async loadTerms(): Promise<void> {
    try {
      const [terms, segments] = await Promise.all([
        data(api.GET('/api/v1/leads/terms')),
        data(api.GET('/api/v1/segments', { params: { query: { limit: 200 } } })),
      ]);
      this.tags = terms.tags;
      this.fields = terms.fields;
      const before = JSON.stringify(this.filter);
      this.segments = segments.items;
      // the address named one before its filter was known
      if (JSON.stringify(this.filter) !== before) void this.load();
    } catch {
      // the list works without them
    }
  }

  async saveSegment(name: string): Promise<Segment> {
    const params = { header: { 'Idempotency-Key': requestKey() } };
    const body = { name, filter: this.filter };
    const made = await data(api.POST('/api/v1/segments', { params, body }));
    this.segments = [made, ...this.segments];
    return made;
  }

  async removeSegment(id: string): Promise<void> {
    await data(api.DELETE('/api/v1/segments/{segment_id}', { params: { path: { segment_id: id } } }));
    this.segments = this.segments.filter((one) => one.id !== id);
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
   * @returns how many were changed, and what takes it back
   */
  async run(
    bodies: readonly ChangeLeads[],
    of: number,
  ): Promise<{ changed: number; undo: ChangeLeads[]; problem: unknown }> {
    let changed = 0;
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
          done += answer.changed + answer.unchanged;
          undo.push(...(answer.undo as ChangeLeads[]));
          this.running = { done, of: Math.max(of, done) };
          body = answer.next === null ? null : { ...body, after: answer.next };
        }
      }
      return { changed, undo, problem: null };
    } catch (problem) {
      return { changed, undo, problem };
    } finally {
      this.running = null;
    }
  }
}

function send(params: { header: { 'Idempotency-Key': string } }, body: ChangeLeads) {
  return data(api.POST('/api/v1/leads/bulk', { params, body }));
}
