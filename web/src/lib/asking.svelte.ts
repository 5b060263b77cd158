/** What a dialog asks of the server before it closes. */
import { Latest } from './latest';
import { explain, toasts } from './toasts.svelte';

/**
 * The answer is for the opening that asked. Once that was closed it neither closes the next one nor says anything there,
 * and a refusal is told beside it.
 */
export class Asking {
  busy = $state(false);
  /** Why it was not done, in words for people. */
  mistake = $state('');
  readonly #opening = new Latest();
  readonly #explained: (error: unknown) => string;

  /** Made while a component is, and ends with it. */
  constructor(isOpen: () => boolean, explained = explain) {
    this.#explained = explained;
    $effect(() => {
      if (!isOpen()) return;
      this.busy = false;
      this.mistake = '';
      return () => this.#opening.drop();
    });
  }

  /**
   * Does one thing at a time.
   *
   * @param work is told whether who asked still waits
   * @param then is done with the answer if so
   */
  async run<T>(work: (isAwaited: () => boolean) => Promise<T>, then: (answer: T) => void): Promise<void> {
    if (this.busy) return;
    const isAwaited = this.#opening.current();
    this.busy = true;
    this.mistake = '';
    try {
      const answer = await work(isAwaited);
      if (isAwaited()) then(answer);
    } catch (error) {
      if (isAwaited()) this.mistake = this.#explained(error);
      else toasts.error(error);
    } finally {
      if (isAwaited()) this.busy = false;
    }
  }
}
