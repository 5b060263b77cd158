/** Whether a device can take a message right now, and why not: for the composer. */
import type { Device, Session } from '../api/types';
import type { MessageKey } from '../i18n/en';

export interface Composing {
  /** The reason nothing can be written, as a catalogue key; null when it can. */
  blocked: MessageKey | null;
  /** Written messages wait for the device. */
  waits: boolean;
}

const BLOCKED: Partial<Record<Device['state'], MessageKey>> = {
  logged_out: 'composer.blocked_logged_out',
  banned: 'composer.blocked_banned',
  replaced: 'composer.blocked_replaced',
  outdated: 'composer.blocked_outdated',
};

export function composing(device: Device, role: Session['user']['role']): Composing {
  if (role === 'viewer') return { blocked: 'composer.viewer', waits: false };
  const state = BLOCKED[device.state];
  if (state !== undefined) return { blocked: state, waits: false };
  if (device.paired_at === null) return { blocked: 'composer.blocked_new', waits: false };
  return { blocked: null, waits: device.state !== 'online' };
}
