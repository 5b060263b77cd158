import type { Device } from '../api/types';
import { now } from './now.svelte';

/** Whether WhatsApp holds a line back. No frame tells when that ends: it moves with the clock. */
export function isPaused(device: Pick<Device, 'paused_until'>): boolean {
  return device.paused_until !== null && new Date(device.paused_until) > now();
}
