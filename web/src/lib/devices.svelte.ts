/** The workspace's devices, all of them, kept current by the socket. */
import { SvelteMap } from 'svelte/reactivity';
import { api, data, requestKey } from '../api/client';
import type { Device, DeviceState } from '../api/types';
import { isDeleted, type Frame } from './frames';
import type { Live } from './live.svelte';
import { answered, Snapshot } from './snapshot';
import { Unread } from './unread.svelte';

export type LoadState = 'loading' | 'ready' | 'failed';
export type DeviceFilter = 'all' | 'online' | 'waiting' | 'attention';

const PAGE = 200;
/** Counts are asked for at most this often (milliseconds), and one by one for at most this many devices. */
const COUNT_EVERY = 4000;
const COUNT_SINGLY = 5;

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
  readonly unread = new Unread();
  state = $state<LoadState>('loading');
  problem = $state.raw<unknown>(null);
  /** Ids by name. Kept beside the map, as sorting 3,000 names with every change of state would take the page's time. */
  #order = $state.raw<readonly string[]>([]);
  readonly #live: Live;
  readonly #snapshot = new Snapshot();
  readonly #uncounted = new Set<string>();
  #counting: ReturnType<typeof setTimeout> | undefined;
  readonly #collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
  readonly sorted = $derived(this.#order.flatMap((id) => this.byId.get(id) ?? []));

  constructor(live: Live) {
    this.#live = live;
  }

  /** Fetches the list and follows it until the result is called. */
  follow(): () => void {
    const end = this.#live.subscribe((frame) => {
      if (frame.code === 'RESYNC') {
        this.unread.forgetChats();
        void this.load();
      } else {
        this.#snapshot.note(frame);
        this.apply(frame);
      }
    });
    void this.load();
    return () => {
      end();
      clearTimeout(this.#counting);
    };
  }

  async load(): Promise<void> {
    try {
      await this.#snapshot.take(
        () => this.#fetch(),
        (devices) => this.#replace(devices),
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

  #replace(devices: readonly Device[]): void {
    const ids = new Set(devices.map((device) => device.id));
    for (const id of [...this.byId.keys()]) if (!ids.has(id)) this.#drop(id);
    for (const device of devices) this.#put(device, false);
    this.#sort();
  }

  #put(device: Device, sort = true): void {
    const before = this.byId.get(device.id);
    this.byId.set(device.id, device);
    this.unread.set(device.id, device.unread_count);
    if (sort && before?.name !== device.name) this.#sort();
  }

  #drop(id: string): void {
    this.byId.delete(id);
    this.unread.set(id, null);
  }

  #sort(): void {
    const byName = (a: Device, b: Device): number => this.#collator.compare(a.name, b.name) || a.id.localeCompare(b.id);
    this.#order = [...this.byId.values()].sort(byName).map((device) => device.id);
  }

  apply(frame: Frame): void {
    switch (frame.code) {
      case 'DEVICE_STATUS':
      case 'DEVICE_PAIRED':
      case 'DEVICE_CONNECTED':
      case 'DEVICE_LOGGED_OUT':
        if (isDeleted(frame.result)) this.#drop(frame.result.id);
        else this.#put(frame.result);
        break;
      case 'CHAT_UPDATE':
        if (!this.unread.follow(frame.result)) this.#countSoon(frame.result.device_id);
    }
  }

  /** Asks for counts that frames could not tell: a few devices one by one, many as the whole list, and never often. */
  #countSoon(id: string): void {
    if (!this.byId.has(id)) return;
    this.#uncounted.add(id);
    this.#counting ??= setTimeout(() => {
      this.#counting = undefined;
      const ids = [...this.#uncounted];
      this.#uncounted.clear();
      if (ids.length > COUNT_SINGLY) void this.load();
      else for (const one of ids) void this.reload(one).catch(() => undefined);
    }, COUNT_EVERY);
  }

  /** Puts the device that a request answers with in its place. */
  #ask(request: () => Promise<Device>): Promise<Device> {
    return answered(
      this.#live,
      request,
      (device) => this.#put(device),
      (frame) => this.apply(frame),
    );
  }

  /** Fetches one device again. */
  async reload(id: string): Promise<void> {
    const params = { path: { device_id: id } };
    await this.#ask(() => data(api.GET('/api/v1/devices/{device_id}', { params })));
  }

  /** @returns the new device, in state `new` */
  add(name: string, network: Device['network']): Promise<Device> {
    const params = { header: { 'Idempotency-Key': requestKey() } };
    return this.#ask(() => data(api.POST('/api/v1/devices', { body: { name, network }, params })));
  }

  async rename(id: string, name: string): Promise<void> {
    const params = { path: { device_id: id } };
    await this.#ask(() => data(api.PATCH('/api/v1/devices/{device_id}', { params, body: { name } })));
  }

  async remove(id: string): Promise<void> {
    await data(api.DELETE('/api/v1/devices/{device_id}', { params: { path: { device_id: id } } }));
    this.#drop(id);
  }

  async steer(id: string, verb: 'connect' | 'disconnect' | 'logout'): Promise<void> {
    const params = { path: { device_id: id } };
    await this.#ask(() => data(api.POST(`/api/v1/devices/{device_id}/${verb}`, { params })));
  }
}
