/**
 * Work of which only so much is under way at a time; the rest waits, in its order. A browser has six connections to a
 * server: what is slow must not have them all, or no chat could be opened and nothing sent meanwhile.
 */
export class Turns {
  readonly #most: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  /** @param most how much of it may be under way */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Begins at once, or once others have ended.
   *
   * @param work what is begun
   * @returns ends it, or takes it out of the line: the next begins. What is called twice does it once.
   */
  begin(work: () => void): () => void {
    let ended = false;
    const start = (): void => {
      this.#running += 1;
      work();
    };
    if (this.#running < this.#most) start();
    else this.#waiting.add(start);
    return () => {
      if (ended) return;
      ended = true;
      if (this.#waiting.delete(start)) return;
      this.#running -= 1;
      const [next] = this.#waiting;
      if (next === undefined) return;
      this.#waiting.delete(next);
      next();
    };
  }
}

/** Pictures that load by themselves. What a person presses does not wait for them. */
export const pictureTurns = new Turns(3);
/** Files on their way to the server. */
export const uploadTurns = new Turns(2);
