/** The workspace's devices, all of them, kept current by the socket. */
import { untrack } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import { api, data, requestKey } from '../api/client';
import type { ChangeDevice, Device, DeviceState, TagCount } from '../api/types';
import { isDeleted, type Frame } from './frames';
import type { Live } from './live.svelte';
import { answered, Snapshot } from './snapshot';
import { Unread } from './unread.svelte';

export type LoadState = 'loading' | 'ready' | 'failed';

/** Frames that change a device, or what is unread of it. */
const FOLLOWED = /^(DEVICE_|CHAT_(UPDATE|GONE)$)/u;

/** The first page is what a screen can show, so that it comes at once; then the longest pages there are. */
const FIRST_PAGE = 100;
const PAGE = 1000;
/** Counts are asked for at most this often, seldomer the more devices there are (milliseconds, and milliseconds a device:
 * the whole list of 3,000 is 1.7 MB), and one by one for at most this many devices. */
const COUNT_EVERY = 4000;
const COUNT_EVERY_DEVICE = 10;
const COUNT_SINGLY = 5;

/** Of devices that were chosen, those that were deleted since; none before all are known. */
export function deletedOf({ state, byId }: Pick<Devices, 'state' | 'byId'>, chosen: readonly string[]): string[] {
  return state === 'ready' ? chosen.filter((id) => !byId.has(id)) : [];
}

export class Devices {
  readonly byId = new SvelteMap<string, Device>();
  readonly unread = new Unread();
  /** `ready` when every page is here; the first ones show before. */
  state = $state<LoadState>('loading');
  problem = $state.raw<unknown>(null);
  total = $state(0);
  /** How many are in each state; none has no entry. */
  counts = $state.raw<Partial<Record<DeviceState, number>>>({});
  /** Moves on with every change of any device: what is made of all of them hangs on this one, not on 3,000. */
  version = $state(0);
  /** Moves on when an order may be another: devices come and go, or take another name. */
  #membership = $state(0);
  #tagging = $state(0);
  readonly #live: Live;
  readonly #counted: Partial<Record<DeviceState, number>> = {};
  /** Frames since the last drawing, the last one of each device and chat. */
  readonly #waiting = new Map<string, Frame>();
  #drawing: number | undefined;
  #moved = { devices: false, members: false, tags: false };
  #found = new Set<string>();
  readonly #snapshot: Snapshot;
  readonly #uncounted = new Set<string>();
  #counting: ReturnType<typeof setTimeout> | undefined;
  readonly #collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
  /** Kept as it was sorted last: sorting what is sorted but for a few costs a tenth. */
  #named: Device[] = [];

  /** By name, with numbers in order. */
  readonly byName = $derived.by(() => {
    void this.#membership;
    const known = new Set(this.#named.map((device) => device.id));
    const kept = this.#named.flatMap((device) => untrack(() => this.byId.get(device.id)) ?? []);
    const added = this.everyone().filter((device) => !known.has(device.id));
    const compare = (a: Device, b: Device): number => this.#collator.compare(a.name, b.name) || (a.id < b.id ? -1 : 1);
    this.#named = [...kept, ...added].sort(compare);
    return this.#named.map((device) => device.id);
  });
  /** The last one added first. */
  readonly newest = $derived.by(() => {
    void this.#membership;
    const made = this.everyone().map((device) => [Date.parse(device.created_at), device.id] as const);
    return made.sort(([a], [b]) => b - a).map(([, id]) => id);
  });
  readonly sorted = $derived(this.rows(this.byName));
  /** Every tag there is, in one of its spellings, by name. */
  readonly tags = $derived.by(() => {
    void this.#tagging;
    const found = new Map<string, TagCount>();
    for (const device of this.everyone())
      for (const tag of device.tags) {
        const key = tag.toLowerCase();
        const count = found.get(key);
        if (count) count.devices += 1;
        else found.set(key, { tag, devices: 1 });
      }
    return [...found.values()].sort((a, b) => this.#collator.compare(a.tag, b.tag));
  });

  constructor(live: Live) {
    this.#live = live;
    this.#snapshot = new Snapshot(live, (frame) => this.#draw(frame));
  }

  /** Every device in no order. Reading it follows nothing; read `version` beside it. */
  everyone(): Device[] {
    return untrack(() => [...this.byId.values()]);
  }

  /** Devices of ids, as they are now; what is made of it follows every change. */
  rows(ids: readonly string[]): Device[] {
    void this.version;
    return untrack(() => ids.flatMap((id) => this.byId.get(id) ?? []));
  }

  /** Fetches the list and follows it until the result is called. */
  follow(): () => void {
    const end = this.#snapshot.follow(() => {
      this.unread.forgetChats();
      return this.load();
    });
    return () => {
      end();
      this.#found = new Set();
      clearTimeout(this.#counting);
      if (this.#drawing !== undefined) cancelAnimationFrame(this.#drawing);
      this.#drawing = undefined;
      this.#waiting.clear();
    };
  }

  /** Fetches page after page; each stands as soon as it is here. */
  async load(): Promise<void> {
    const found = (this.#found = new Set());
    try {
      await this.#snapshot.take(
        () => this.#pages(found),
        () => {
          for (const { id } of this.everyone()) if (!found.has(id)) this.#drop(id);
          this.#show();
          this.state = 'ready';
          this.problem = null;
        },
      );
    } catch (error) {
      this.problem = error;
      if (this.byId.size === 0) this.state = 'failed';
    }
  }

  /** Each until another fetch, with another set of what was found, begins. */
  async #pages(found: ReadonlySet<string>): Promise<void> {
    let after: string | undefined;
    do {
      const query = { limit: after === undefined ? FIRST_PAGE : PAGE, after };
      const page = await this.#ask(
        () => data(api.GET('/api/v1/devices', { params: { query } })),
        ({ items }) => {
          if (found === this.#found) for (const device of items) this.#put(device);
        },
      );
      after = page.next ?? undefined;
    } while (after !== undefined && found === this.#found);
  }

  #put(device: Device): void {
    const before = untrack(() => this.byId.get(device.id));
    this.#found.add(device.id);
    this.#moved.devices = true;
    this.byId.set(device.id, device);
    this.unread.set(device.id, device.unread_count);
    if (before?.state !== device.state) {
      if (before) this.#count(before.state, -1);
      this.#count(device.state, 1);
    }
    if (before?.name !== device.name) this.#moved.members = true;
    if (before?.tags.join('\n') !== device.tags.join('\n')) this.#moved.tags = true;
  }

  #drop(id: string): void {
    const before = untrack(() => this.byId.get(id));
    if (!before) return;
    this.byId.delete(id);
    this.unread.set(id, null);
    this.#count(before.state, -1);
    this.#moved = { devices: true, members: true, tags: true };
  }

  #count(state: DeviceState, by: number): void {
    this.#counted[state] = (this.#counted[state] ?? 0) + by;
  }

  /** Lets the page see what was put and dropped. */
  #show(): void {
    if (!this.#moved.devices) return;
    this.total = this.byId.size;
    this.counts = { ...this.#counted };
    this.version += 1;
    if (this.#moved.members) this.#membership += 1;
    if (this.#moved.tags) this.#tagging += 1;
    this.#moved = { devices: false, members: false, tags: false };
  }

  /** Frames are applied once a drawing: many devices that change in the same sixtieth of a second cost as much as one. */
  #draw(frame: Frame): void {
    if (!('id' in frame.result) || !FOLLOWED.test(frame.code)) return;
    this.#waiting.delete(frame.result.id);
    this.#waiting.set(frame.result.id, frame);
    this.#drawing ??= requestAnimationFrame(() => this.#drawWaiting());
  }

  #drawWaiting(): void {
    if (this.#drawing === undefined) return;
    cancelAnimationFrame(this.#drawing);
    this.#drawing = undefined;
    const frames = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const frame of frames) this.#apply(frame);
    this.#show();
  }

  #apply(frame: Frame): void {
    switch (frame.code) {
      case 'DEVICE_STATUS':
      case 'DEVICE_PAIRED':
      case 'DEVICE_CONNECTED':
      case 'DEVICE_LOGGED_OUT':
        if (isDeleted(frame.result)) this.#drop(frame.result.id);
        else this.#put(frame.result);
        break;
      case 'CHAT_GONE':
        // what was unread in it is counted in the other too
        this.#countSoon(frame.result.device_id);
        break;
      case 'CHAT_UPDATE':
        if (!this.unread.follow(frame.result)) this.#countSoon(frame.result.device_id);
    }
  }

  /** Asks for counts that frames could not tell: a few devices one by one, many as the whole list, and never often. */
  #countSoon(id: string): void {
    if (!this.byId.has(id)) return;
    this.#uncounted.add(id);
    const wait = Math.max(COUNT_EVERY, COUNT_EVERY_DEVICE * this.byId.size);
    this.#counting ??= setTimeout(() => {
      this.#counting = undefined;
      const ids = [...this.#uncounted];
      this.#uncounted.clear();
      if (ids.length > COUNT_SINGLY) void this.load();
      else for (const one of ids) void this.reload(one).catch(() => undefined);
    }, wait);
  }

  /** Puts what a request answers with in its place, above what waits to be drawn and below what came meanwhile. */
  async #ask<T>(request: () => Promise<T>, put: (value: T) => void): Promise<T> {
    const value = await answered(
      this.#live,
      request,
      (answer) => {
        this.#drawWaiting();
        put(answer);
      },
      (frame) => this.#apply(frame),
    );
    this.#show();
    return value;
  }

  #askOne(request: () => Promise<Device>): Promise<Device> {
    return this.#ask(request, (device) => this.#put(device));
  }

  /** Fetches one device again. */
  async reload(id: string): Promise<void> {
    const params = { path: { device_id: id } };
    await this.#askOne(() => data(api.GET('/api/v1/devices/{device_id}', { params })));
  }

  /** @returns the new device, in state `new` */
  add(name: string, network: Device['network']): Promise<Device> {
    const params = { header: { 'Idempotency-Key': requestKey() } };
    return this.#askOne(() => data(api.POST('/api/v1/devices', { body: { name, network }, params })));
  }

  async change(id: string, body: ChangeDevice): Promise<void> {
    const params = { path: { device_id: id } };
    await this.#askOne(() => data(api.PATCH('/api/v1/devices/{device_id}', { params, body })));
  }

  async remove(id: string): Promise<void> {
    await data(api.DELETE('/api/v1/devices/{device_id}', { params: { path: { device_id: id } } }));
    this.#drop(id);
    this.#show();
  }

  async steer(id: string, verb: 'connect' | 'disconnect' | 'logout'): Promise<void> {
    const params = { path: { device_id: id } };
    await this.#askOne(() => data(api.POST(`/api/v1/devices/{device_id}/${verb}`, { params })));
  }
}
