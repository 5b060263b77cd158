/**
 * Fetch, follow, and fetch again what failed. A list fetched over REST and changes from the socket cross on the wire; the
 * fetched list may be older than a frame that came in the meantime. So frames that arrive during a fetch are applied again
 * on top of it: every change has a frame, hence the last one applied is the truth. And what could not be fetched after a
 * gap no later frame brings: it is fetched until it is here.
 */
import { untrack } from 'svelte';
import { Problem } from '../api/problem';
import type { Frame } from './frames';
import { Latest } from './latest';
import type { Live } from './live.svelte';

/** Before what failed is fetched again though the connection stands, doubled each time up to the longest. Milliseconds. */
const SHORTEST_WAIT = 2000;
const LONGEST_WAIT = 30_000;

/** As `Snapshot.take`, for the answer to one request: a frame that overtook it on the wire is newer and stays. */
export async function answered<T>(
  live: Live,
  ask: () => Promise<T>,
  put: (value: T) => void,
  apply: (frame: Frame) => void,
): Promise<T> {
  const during: Frame[] = [];
  const end = live.subscribe((frame) => during.push(frame));
  try {
    const value = await ask();
    put(value);
    during.forEach(apply);
    return value;
  } finally {
    end();
  }
}

export class Snapshot {
  #failures = 0;
  readonly #latest = new Latest();
  /** Fetches everything by `take`, as long as it is followed. */
  #load: (() => Promise<unknown>) | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #live: Live;
  readonly #apply: (frame: Frame) => void;

  /** @param apply takes any frame, also one that changes nothing here */
  constructor(live: Live, apply: (frame: Frame) => void = () => undefined) {
    this.#live = live;
    this.#apply = apply;
  }

  /**
   * Loads at once and after each gap, and what failed again until it succeeds; applies every frame; until the result is
   * called.
   *
   * In an effect the effect does not hang on what `load` reads: its own answer would begin it again, without end.
   *
   * @param load fetches everything by `take`, and tells its page when that fails
   */
  follow(load: () => Promise<unknown>): () => void {
    this.#load = load;
    const ends = [
      this.#live.subscribe((frame) => (frame.code === 'RESYNC' ? void load() : this.#apply(frame))),
      this.#live.whenLive(() => this.#failures > 0 && void load()),
    ];
    void untrack(load);
    return () => {
      this.#load = null;
      this.drop();
      ends.forEach((end) => end());
    };
  }

  /**
   * @param fetch gets the list
   * @param replace puts it in place, unless a later call overtook this one: then its result, or failure, is dropped
   * @throws what `fetch` throws
   */
  async take<T>(fetch: () => Promise<T>, replace: (value: T) => void): Promise<void> {
    this.drop();
    const isLast = this.#latest.current();
    try {
      await answered(
        this.#live,
        fetch,
        (value) => isLast() && replace(value),
        (frame) => isLast() && this.#apply(frame),
      );
      if (isLast()) this.#failures = 0;
    } catch (error) {
      if (!isLast()) return;
      if (error instanceof Problem && error.mayPass) this.#again();
      throw error;
    }
  }

  /** What is still on its way does not belong here any more. */
  drop(): void {
    this.#latest.drop();
    clearTimeout(this.#timer);
  }

  #again(): void {
    const wait = Math.min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** this.#failures++);
    const load = this.#load;
    if (load) this.#timer = setTimeout(() => void load(), wait);
  }
}
