interface Work {
  start: () => void;
  isLong: boolean;
}

/**
 * Work of which only so much is under way at a time, and less of what is long; the rest waits, in its order, but nothing
 * short for what is long. A browser has six connections to a server: what is slow must not have them all, or no chat could
 * be opened and nothing sent meanwhile.
 */
export class Turns {
  readonly #most: number;
  readonly #mostLong: number;
  readonly #waiting = new Set<Work>();
  readonly #running = new Set<Work>();

  /**
   * @param most how much of it may be under way
   * @param mostLong how much of that may be long
   */
  constructor(most: number, mostLong: number) {
    this.#most = most;
    this.#mostLong = mostLong;
  }

  /**
   * Begins at once, or once others have ended.
   *
   * @param start begins it
   * @param isLong others should not have to wait for it
   * @returns ends it, or takes it out of the line: the next begins. What is called twice does it once.
   */
  begin(start: () => void, isLong: boolean): () => void {
    const work = { start, isLong };
    this.#waiting.add(work);
    this.#next();
    return () => {
      this.#waiting.delete(work);
      if (this.#running.delete(work)) this.#next();
    };
  }

  #next(): void {
    const long = [...this.#running].filter((one) => one.isLong).length;
    if (this.#running.size >= this.#most) return;
    const next = [...this.#waiting].find((one) => !one.isLong || long < this.#mostLong);
    if (next === undefined) return;
    this.#waiting.delete(next);
    this.#running.add(next);
    next.start();
  }
}

/** Pictures that load by themselves. What a person presses does not wait for them. */
export const pictureTurns = new Turns(3, 2);
/** Files on their way to the server. */
export const uploadTurns = new Turns(2, 1);
