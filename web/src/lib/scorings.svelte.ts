/** Scores for leads by the AI endpoint: asked for here, made in the background. */
import { api, data, requestKey } from '../api/client';
import { Problem } from '../api/problem';
import type { ScoreLeads, Scoring } from '../api/types';

/** Between two looks at how far it is. Milliseconds. */
const LOOK = 700;

export class Scorings {
  /** The one under way; null: none. */
  current = $state.raw<Scoring | null>(null);
  readonly #look: number;
  #left = false;

  /** @param look milliseconds between two looks */
  constructor(look = LOOK) {
    this.#look = look;
  }

  /** Shows the one that is under way already; gives how it ended, or null when there was none. */
  async resume(): Promise<Scoring | null> {
    const { items } = await data(api.GET('/api/v1/scorings', { params: { query: { limit: 1 } } }));
    return items[0]?.state === 'running' ? this.#follow(items[0]) : null;
  }

  /** Asks for scores; gives how it ended, or null when nobody looks any more. */
  async run(body: ScoreLeads): Promise<Scoring | null> {
    const params = { header: { 'Idempotency-Key': requestKey() } };
    return this.#follow(await data(api.POST('/api/v1/scorings', { params, body })));
  }

  async stop(): Promise<void> {
    if (this.current === null) return;
    const params = { path: { scoring_id: this.current.id } };
    await data(api.POST('/api/v1/scorings/{scoring_id}/cancel', { params }));
  }

  /** Nobody looks any more; the server goes on. */
  leave(): void {
    this.#left = true;
  }

  async #follow(first: Scoring): Promise<Scoring | null> {
    const path = { params: { path: { scoring_id: first.id } } };
    let now = first;
    try {
      while (now.state === 'running') {
        this.current = now;
        await new Promise((resolve) => setTimeout(resolve, this.#look));
        if (this.#left) return null;
        try {
          now = await data(api.GET('/api/v1/scorings/{scoring_id}', path));
        } catch (error) {
          // the server is away for a moment: it goes on with this when it is back
          if (!(error instanceof Problem) || (error.status > 0 && error.status < 500)) throw error;
        }
      }
      return now;
    } finally {
      this.current = null;
    }
  }
}
