/** One attempt to link a device to a phone, from the first code to its end. */
import { api, data, requestKey } from '../api/client';
import { Problem } from '../api/problem';
import type { Pairing } from '../api/types';
import { Latest } from './latest';
import type { Live } from './live.svelte';

/** The socket brings every code; asking is only for a socket that is down, or was at the wrong moment. Milliseconds. */
const ASK_WHEN_DOWN = 2500;
const ASK_WHEN_LIVE = 10_000;

export class PairingAttempt {
  current = $state.raw<Pairing | null>(null);
  starting = $state(false);
  problem = $state.raw<unknown>(null);
  readonly #device: string;
  readonly #live: Live;
  /** A code can be faster than the answer to the request that started it. */
  #early: Pairing | null = null;
  #end: () => void = () => undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #latest = new Latest();

  constructor(device: string, live: Live) {
    this.#device = device;
    this.#live = live;
  }

  get waiting(): boolean {
    return this.current?.state === 'waiting';
  }

  /** Starts an attempt; one that was under way is cancelled first. `phone` is needed for a code. */
  async start(method: Pairing['method'], phone: string | null = null): Promise<void> {
    await this.cancel();
    const isWanted = this.#latest.current();
    this.starting = true;
    this.#follow();
    try {
      const pairing = await data(
        api.POST('/api/v1/devices/{device_id}/pairings', {
          params: { path: { device_id: this.#device }, header: { 'Idempotency-Key': requestKey() } },
          body: { method, phone },
        }),
      );
      if (!isWanted()) return void this.#tellCancelled(pairing.id);
      this.current = pairing;
      if (this.#early) this.#take(this.#early);
      if (this.waiting) this.#askLater();
    } catch (error) {
      if (!isWanted()) return;
      this.problem = error;
      this.#stop();
    } finally {
      if (isWanted()) this.starting = false;
    }
  }

  #follow(): void {
    this.#early = null;
    this.#end = this.#live.subscribe((frame) => {
      if (frame.code === 'QR_UPDATE') this.#take(frame.result);
      else if (frame.code === 'RESYNC') void this.#ask();
    });
  }

  #take(pairing: Pairing): void {
    if (this.starting && pairing.device_id === this.#device) this.#early = pairing;
    if (pairing.id !== this.current?.id || !this.waiting) return;
    this.current = pairing;
    if (!this.waiting) this.#stop();
  }

  #askLater(): void {
    this.#timer = setTimeout(() => void this.#ask(), this.#live.status === 'live' ? ASK_WHEN_LIVE : ASK_WHEN_DOWN);
  }

  async #ask(): Promise<void> {
    const id = this.current?.id;
    if (id === undefined || !this.waiting) return;
    clearTimeout(this.#timer);
    try {
      this.#take(await data(api.GET('/api/v1/pairings/{pairing_id}', { params: { path: { pairing_id: id } } })));
    } catch (error) {
      if (error instanceof Problem && error.status === 404) {
        this.problem = error;
        this.#stop();
        this.current = null;
      }
    }
    if (this.waiting && this.current?.id === id) this.#askLater();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#end();
    this.#end = () => undefined;
  }

  /** Ends an attempt under way; its device can be paired anew at once. */
  async cancel(): Promise<void> {
    this.#latest.drop();
    this.#stop();
    this.starting = false;
    this.problem = null;
    const waiting = this.waiting ? this.current : null;
    this.current = null;
    if (waiting) await this.#tellCancelled(waiting.id);
  }

  async #tellCancelled(id: string): Promise<void> {
    try {
      await data(api.DELETE('/api/v1/pairings/{pairing_id}', { params: { path: { pairing_id: id } } }));
    } catch {
      // It expires by itself within three minutes, and the next attempt replaces it.
    }
  }
}
