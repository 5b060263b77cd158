/** A message as one person gets it, and what of it is likely not meant so; asked for anew as it is written. */
import { api, data } from '../api/client';
import type { LeadFilter, Rendered } from '../api/types';
import { Latest } from './latest';

/** Milliseconds after the last key. */
const RENDER_AFTER = 250;

interface Wanted {
  text: string;
  audience: LeadFilter;
  /** Null: the newest of the audience. */
  lead_id: string | null;
}

export class Preview {
  /** Null while nobody has said. */
  shown = $state.raw<Rendered | null>(null);
  busy = $state(false);
  readonly #latest = new Latest();

  /** Made while a component is, and ends with it. */
  constructor(wanted: () => Wanted) {
    $effect(() => {
      const body = wanted();
      const isWanted = this.#latest.ask();
      this.busy = true;
      const timer = setTimeout(() => void this.#render(body, isWanted), RENDER_AFTER);
      return () => clearTimeout(timer);
    });
  }

  async #render(body: Wanted, isWanted: () => boolean): Promise<void> {
    // without an answer the words are shown as they were written; the next key tries again
    const answer = await data(api.POST('/api/v1/campaigns/render', { body })).catch(() => null);
    if (!isWanted()) return;
    this.shown = answer;
    this.busy = false;
  }
}
