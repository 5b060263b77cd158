/** The workspace's devices, all of them, kept current by the socket. */
import { SvelteMap } from 'svelte/reactivity';
import { api, data, requestKey } from '../api/client';
import type { Chat, Device, DeviceState } from '../api/types';
import { isDeleted, type Frame } from './frames';
import type { Live } from './live.svelte';
import { Snapshot } from './snapshot';

export type LoadState = 'loading' | 'ready' | 'failed';
export type DeviceFilter = 'all' | 'online' | 'waiting' | 'attention';

const PAGE = 200;
/** Unread counts of chats nobody looked at are fetched at most this often per device (milliseconds). */
const UNREAD_EVERY = 2000;

const GROUP: Record<DeviceState, Exclude<DeviceFilter, 'all'>> = {
  new: 'attention',
  pairing: 'attention',
  connecting: 'waiting',
  online: 'online',
  offline: 'waiting',
  logged_out: 'attention',
  banned: 'attention',
  replaced: 'attention',
  outdated: 'attention',
};

/** Which filter a device falls under: each is in exactly one besides `all`. */
export function deviceGroup(device: Device): Exclude<DeviceFilter, 'all'> {
  return GROUP[device.state];
}

/** Whether `device` fits what was typed: in name, number or tags, without regard to case and spacing of numbers. */
export function fits(device: Device, search: string): boolean {
  const words = search.trim().toLowerCase();
  if (words === '') return true;
  const digits = words.replace(/[\s()+-]/gu, '');
  return (
    device.name.toLowerCase().includes(words) ||
    device.tags.some((tag) => tag.toLowerCase().includes(words)) ||
    (/^\d+$/u.test(digits) && (device.phone ?? '').includes(digits.replace(/^0/u, '')))
  );
}

export class Devices {
  readonly byId = new SvelteMap<string, Device>();
  state = $state<LoadState>('loading');
  problem = $state.raw<unknown>(null);
  readonly #live: Live;
  readonly #snapshot = new Snapshot();
  readonly #unread = new Map<string, number>();
  readonly #refetches = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
  readonly sorted = $derived.by(() => [...this.byId.values()].sort((a, b) => this.#collator.compare(a.name, b.name)));
  readonly unread = $derived(this.sorted.reduce((sum, device) => sum + device.unread_count, 0));

  constructor(live: Live) {
    this.#live = live;
  }

  /** Fetches the list and follows it until the result is called. */
  follow(): () => void {
    const end = this.#live.subscribe((frame) => {
      if (frame.code === 'RESYNC') void this.load();
      else {
        this.#snapshot.note(frame);
        this.apply(frame);
      }
    });
    void this.load();
    return () => {
      end();
      this.#refetches.forEach((timer) => clearTimeout(timer));
    };
  }

  async load(): Promise<void> {
    try {
      await this.#snapshot.take(
        () => this.#fetch(),
        (devices) => this.replace(devices),
        (frame) => this.apply(frame),
      );
      this.state = 'ready';
      this.problem = null;
    } catch (error) {
      this.problem = error;
      if (this.byId.size === 0) this.state = 'failed';
    }
  }

  async #fetch(): Promise<Device[]> {
    const all: Device[] = [];
    let after: string | undefined;
    do {
      const page = await data(api.GET('/api/v1/devices', { params: { query: { limit: PAGE, after } } }));
      all.push(...page.items);
      after = page.next ?? undefined;
    } while (after !== undefined);
    return all;
  }

  replace(devices: readonly Device[]): void {
    const ids = new Set(devices.map((device) => device.id));
    for (const id of [...this.byId.keys()]) if (!ids.has(id)) this.byId.delete(id);
    for (const device of devices) this.byId.set(device.id, device);
    this.#unread.clear();
  }

  apply(frame: Frame): void {
    switch (frame.code) {
      case 'DEVICE_STATUS':
      case 'DEVICE_PAIRED':
      case 'DEVICE_CONNECTED':
      case 'DEVICE_LOGGED_OUT':
        if (isDeleted(frame.result)) this.byId.delete(frame.result.id);
        else this.byId.set(frame.result.id, frame.result);
        break;
      case 'CHAT_UPDATE':
        this.#count(frame.result);
    }
  }

  /** A device frame comes when the device changes, not with every message: its unread count follows its chats here. */
  #count(chat: Chat): void {
    const before = this.#unread.get(chat.id);
    this.#unread.set(chat.id, chat.unread_count);
    if (before === undefined) this.#refetchSoon(chat.device_id);
    else if (before !== chat.unread_count) {
      const device = this.byId.get(chat.device_id);
      const count = Math.max(0, (device?.unread_count ?? 0) + chat.unread_count - before);
      if (device) this.byId.set(device.id, { ...device, unread_count: count });
    }
  }

  #refetchSoon(id: string): void {
    if (this.#refetches.has(id) || !this.byId.has(id)) return;
    const timer = setTimeout(() => {
      this.#refetches.delete(id);
      void this.reload(id).catch(() => undefined);
    }, UNREAD_EVERY);
    this.#refetches.set(id, timer);
  }

  /** Fetches one device again. */
  async reload(id: string): Promise<void> {
    const device = await data(api.GET('/api/v1/devices/{device_id}', { params: { path: { device_id: id } } }));
    this.byId.set(device.id, device);
  }

  /** @returns the new device, in state `new` */
  async add(name: string, network: Device['network']): Promise<Device> {
    const device = await data(
      api.POST('/api/v1/devices', {
        body: { name, network },
        params: { header: { 'Idempotency-Key': requestKey() } },
      }),
    );
    this.byId.set(device.id, device);
    return device;
  }

  async rename(id: string, name: string): Promise<void> {
    const device = await data(
      api.PATCH('/api/v1/devices/{device_id}', { params: { path: { device_id: id } }, body: { name } }),
    );
    this.byId.set(id, device);
  }

  async remove(id: string): Promise<void> {
    await data(api.DELETE('/api/v1/devices/{device_id}', { params: { path: { device_id: id } } }));
    this.byId.delete(id);
  }

  async steer(id: string, verb: 'connect' | 'disconnect' | 'logout'): Promise<void> {
    const device = await data(api.POST(`/api/v1/devices/{device_id}/${verb}`, { params: { path: { device_id: id } } }));
    this.byId.set(id, device);
  }
}
