/** What a button asks of the server: pressed twice it is done once, and what goes wrong is told. */
import { toasts } from './toasts.svelte';

export class Once {
  busy = $state(false);

  /** Does one thing at a time: what is asked for meanwhile is not done. */
  async run(work: () => Promise<unknown>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      await work();
    } catch (error) {
      toasts.error(error);
    } finally {
      this.busy = false;
    }
  }
}
