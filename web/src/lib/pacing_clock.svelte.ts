/** How a line stands with its pace, kept current by the socket. */
import { api, data } from '../api/client';
import type { Clock } from '../api/types';
import type { Frame } from './frames';
import type { Live } from './live.svelte';
import { Snapshot } from './snapshot';

/** Frames come as fast as messages do; milliseconds between two questions. */
const ASK_EVERY = 1000;

export class PacingClock {
  /** null until it is known. */
  shown = $state.raw<Clock | null>(null);
  readonly #device: string;
  readonly #snapshot: Snapshot;
  #asking: ReturnType<typeof setTimeout> | undefined;

  constructor(device: string, live: Live) {
    this.#device = device;
    this.#snapshot = new Snapshot(live, (frame) => this.#apply(frame));
  }

  /** Fetches it and follows it until the result is called. */
  follow(): () => void {
    const end = this.#snapshot.follow(() => this.#load());
    return () => {
      end();
      clearTimeout(this.#asking);
    };
  }

  #apply({ result }: Frame): void {
    const ours = 'device_id' in result ? result.device_id : 'id' in result && result.id;
    if (ours !== this.#device) return;
    this.#asking ??= setTimeout(() => {
      this.#asking = undefined;
      void this.#load();
    }, ASK_EVERY);
  }

  async #load(): Promise<void> {
    const params = { path: { device_id: this.#device } };
    try {
      await this.#snapshot.take(
        () => data(api.GET('/api/v1/devices/{device_id}', { params })),
        ({ clock }) => (this.shown = clock ?? this.shown),
      );
    } catch {
      // What was shown stays; it is fetched again soon.
    }
  }
}
