/** Where the app's navigation leads. A phone has room for a few; the others are in its menu. */
import Contact from '@lucide/svelte/icons/contact';
import Inbox from '@lucide/svelte/icons/inbox';
import KeyRound from '@lucide/svelte/icons/key-round';
import ListOrdered from '@lucide/svelte/icons/list-ordered';
import Megaphone from '@lucide/svelte/icons/megaphone';
import Smartphone from '@lucide/svelte/icons/smartphone';
import UsersRound from '@lucide/svelte/icons/users-round';
import type { Component } from 'svelte';
import type { MessageKey } from '../i18n/index.svelte';

export interface Place {
  readonly path: '/' | '/inbox' | '/leads' | '/campaigns' | '/sequences' | '/people' | '/keys';
  readonly title: MessageKey;
  readonly icon: Component<{ size?: number }>;
  /** Shown on a phone without opening the menu. */
  readonly isFirst: boolean;
}

const FOR_ALL: readonly Place[] = [
  { path: '/', title: 'nav.devices', icon: Smartphone, isFirst: true },
  { path: '/inbox', title: 'nav.inbox', icon: Inbox, isFirst: true },
  { path: '/leads', title: 'leads.title', icon: Contact, isFirst: false },
  { path: '/campaigns', title: 'campaigns.title', icon: Megaphone, isFirst: true },
  { path: '/sequences', title: 'sequences.title', icon: ListOrdered, isFirst: false },
];
const FOR_ADMINS: readonly Place[] = [
  { path: '/people', title: 'team.people', icon: UsersRound, isFirst: false },
  { path: '/keys', title: 'nav.keys', icon: KeyRound, isFirst: false },
];

/** The places somebody may go to, in order. */
export function places(isAdmin: boolean): readonly Place[] {
  return isAdmin ? [...FOR_ALL, ...FOR_ADMINS] : FOR_ALL;
}

/** Whether an address belongs to a place. */
export function isAt({ path }: Place, pathname: string): boolean {
  if (path === '/') return pathname === '/';
  return pathname.startsWith(path) || (path === '/inbox' && pathname.startsWith('/device/'));
}
