/** What follows a list that is fetched a page at a time: the next page, and why it is not here. */
import type { Page } from '../api/pages';
import type { Frame } from './frames';
import { Latest } from './latest';
import type { Live } from './live.svelte';
import { answered } from './snapshot';

export class More<Answer extends Page<unknown>> {
  /** The next page is on its way. */
  loading = $state(false);
  /** Why the list breaks off where more follows. */
  problem = $state.raw<unknown>(null);
  #next = $state<string | null>(null);
  readonly #latest = new Latest();
  readonly #live: Live;
  readonly #page: (after: string) => Promise<Answer>;
  readonly #add: (page: Answer) => void;
  readonly #apply: (frame: Frame) => void;

  /**
   * @param page asks for the page that begins behind a place
   * @param add puts it behind the list; what is there already may come once more
   * @param apply takes frames that came while it was on its way, on top of it
   */
  constructor(
    live: Live,
    page: (after: string) => Promise<Answer>,
    add: (page: Answer) => void,
    apply: (frame: Frame) => void,
  ) {
    this.#live = live;
    this.#page = page;
    this.#add = add;
    this.#apply = apply;
  }

  /** Whether anything follows. */
  get exists(): boolean {
    return this.#next !== null;
  }

  /** The list ends here now: what was asked for behind another end does not belong to it. */
  follows(next: string | null): void {
    this.problem = null;
    if (next === this.#next) return;
    this.#latest.drop();
    this.#next = next;
    this.loading = false;
  }

  /** Fetches the next page, and on until there is enough: one may be short although more follows. */
  async load(isEnough: () => boolean = () => true): Promise<void> {
    if (this.loading || !this.exists) return;
    const isWanted = this.#latest.current();
    this.loading = true;
    try {
      do await this.#loadOne(isWanted);
      while (isWanted() && this.exists && !isEnough());
    } catch (error) {
      if (isWanted()) this.problem = error;
    } finally {
      if (isWanted()) this.loading = false;
    }
  }

  #loadOne(isWanted: () => boolean): Promise<Answer> {
    return answered(
      this.#live,
      () => this.#page(this.#next!),
      (page) => {
        if (!isWanted()) return;
        this.#add(page);
        this.#next = page.next;
        this.problem = null;
      },
      (frame) => isWanted() && this.#apply(frame),
    );
  }

  /** Tries again what failed, each time there is a connection again, until the result is called. */
  retry(): () => void {
    return this.#live.whenLive(() => this.problem !== null && void this.load());
  }
}
