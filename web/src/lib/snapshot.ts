/**
 * Fetch-then-follow. A list fetched over REST and changes from the socket cross on the wire; the fetched list may be
 * older than a frame that came in the meantime. So frames that arrive during a fetch are applied again on top of it:
 * every change has a frame, hence the last one applied is the truth.
 */
import type { Frame } from './frames';
import type { Live } from './live.svelte';

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
  #during: Frame[] | null = null;
  #run = 0;

  /** To be called with every frame, besides applying it. */
  note(frame: Frame): void {
    this.#during?.push(frame);
  }

  /**
   * @param fetch gets the list
   * @param replace puts it in place
   * @param apply applies a frame, as outside of a fetch
   * @returns false when a later call overtook this one and its result was dropped
   */
  async take<T>(fetch: () => Promise<T>, replace: (value: T) => void, apply: (frame: Frame) => void): Promise<boolean> {
    const run = ++this.#run;
    const during: Frame[] = (this.#during = []);
    try {
      const value = await fetch();
      if (run !== this.#run) return false;
      replace(value);
      during.forEach(apply);
      return true;
    } finally {
      if (run === this.#run) this.#during = null;
    }
  }
}
