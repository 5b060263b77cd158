/** The audit log as far as it is loaded, narrowed to what somebody wants to see of it. */
import { api, data } from '../api/client';
import type { AuditLine } from '../api/types';
import { Latest } from './latest';
import { startOfDay } from './time';

const PAGE = 50;
const DAY = 86_400_000;

/** Empty fields ask for nothing. Days are as fields for days give them: `2026-11-26`. */
export interface AuditFilter {
  readonly actor: string;
  readonly kind: string;
  readonly from: string;
  readonly to: string;
}

/** The filter as the server takes it: both days count whole, in the account's zone. */
export function query({ actor, kind, from, to }: AuditFilter, zone: string): Record<string, string> {
  const next = to && new Date(Date.parse(to) + DAY).toISOString().slice(0, 10);
  return Object.fromEntries(
    Object.entries({
      actor,
      action: kind,
      from: from && startOfDay(from, zone).toISOString(),
      to: next && startOfDay(next, zone).toISOString(),
    }).filter(([, value]) => value !== ''),
  );
}

export class AuditLog {
  /** Null before the first are there. */
  lines = $state.raw<readonly AuditLine[] | null>(null);
  problem = $state.raw<unknown>(null);
  next = $state<string | null>(null);
  readonly #latest = new Latest();

  /** Loads the newest lines that fit, or with `more` those after what is shown. */
  async load(filter: AuditFilter, zone: string, more = false): Promise<void> {
    const isWanted = this.#latest.ask();
    this.problem = null;
    try {
      const asked = { ...query(filter, zone), limit: PAGE, ...(more && this.next !== null && { after: this.next }) };
      const page = await data(api.GET('/api/v1/audit', { params: { query: asked } }));
      if (!isWanted()) return; // another filter was chosen meanwhile
      this.lines = more ? [...(this.lines ?? []), ...page.items] : page.items;
      this.next = page.next;
    } catch (error) {
      if (isWanted()) this.problem = error;
    }
  }
}
