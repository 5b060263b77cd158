/** Which devices a list shows and in which order. */
import type { Device, DeviceState } from '../api/types';
import type { Devices } from './devices.svelte';

export type DeviceGroup = 'online' | 'waiting' | 'attention';
export type DeviceFilter = 'all' | DeviceGroup | DeviceState;

export const ORDERS = ['newest', 'name', 'state'] as const;
export type Order = (typeof ORDERS)[number];

/** What needs a person first. */
export const STATES = [
  'banned',
  'replaced',
  'outdated',
  'logged_out',
  'new',
  'pairing',
  'connecting',
  'offline',
  'online',
] as const satisfies readonly DeviceState[];

const GROUP: Record<DeviceState, DeviceGroup> = {
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

/** Devices of a filter, by the counts of states. */
export function counted(counts: Devices['counts'], filter: DeviceFilter): number {
  return STATES.reduce((sum, state) => sum + (passes(state, filter) ? (counts[state] ?? 0) : 0), 0);
}

/** Whether a state falls under a filter: each is in exactly one group. */
export function passes(state: DeviceState, filter: DeviceFilter): boolean {
  return filter === 'all' || filter === state || filter === GROUP[state];
}

/** A test for what was typed: in name, number or tags, without regard to case and spacing of numbers. */
export function fitting(search: string): (device: Device) => boolean {
  const words = search.trim().toLowerCase();
  if (words === '') return () => true;
  const digits = words.replace(/[\s()+-]/gu, '');
  const number = /^\d+$/u.test(digits) ? digits.replace(/^0/u, '') : null;
  return (device) =>
    device.name.toLowerCase().includes(words) ||
    device.tags.some((tag) => tag.toLowerCase().includes(words)) ||
    (number !== null && number !== '' && (device.phone ?? '').includes(number));
}

export interface Wish {
  search: string;
  filter: DeviceFilter;
  /** '' for any */
  tag: string;
  order: Order;
}

/** Ids of the devices that fit a wish, in its order. Reads the store's `version`, so it follows every change. */
export function listed(devices: Devices, { search, filter, tag, order }: Wish): string[] {
  const fits = fitting(search);
  const wanted = tag.toLowerCase();
  const found = devices
    .rows(order === 'newest' ? devices.newest : devices.byName)
    .filter(
      (device) =>
        passes(device.state, filter) &&
        (wanted === '' || device.tags.some((one) => one.toLowerCase() === wanted)) &&
        fits(device),
    );
  const inOrder =
    order === 'state' ? STATES.flatMap((state) => found.filter((device) => device.state === state)) : found;
  return inOrder.map((device) => device.id);
}

/** `before` where `after` is the same: what hangs on it is not drawn again. */
export function kept(before: readonly string[], after: readonly string[]): readonly string[] {
  return before.length === after.length && before.every((id, place) => id === after[place]) ? before : after;
}
