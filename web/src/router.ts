import { createRouter } from 'sv-router';
import Devices from './pages/Devices.svelte';
import Inbox from './pages/Inbox.svelte';
import Shell from './components/Shell.svelte';

export const { p, navigate, isActive, route } = createRouter({
  '/': Devices,
  '/inbox': Inbox,
  '/inbox/:chat': Inbox,
  '/device/:id/whatsapp-web': Inbox,
  '/device/:id/whatsapp-web/:chat': Inbox,
  '/sequences': () => import('./pages/Sequences.svelte'),
  '/sequences/:id': () => import('./pages/Sequence.svelte'),
  '/leads': () => import('./pages/Leads.svelte'),
  '/leads/suppressions': () => import('./pages/Suppressions.svelte'),
  '/campaigns': () => import('./pages/Campaigns.svelte'),
  '/campaigns/new': () => import('./pages/CampaignWizard.svelte'),
  '/campaigns/:campaign': () => import('./pages/Campaign.svelte'),
  '/campaigns/:campaign/edit': () => import('./pages/CampaignWizard.svelte'),
  '/people': () => import('./pages/People.svelte'),
  '/people/audit': () => import('./pages/Audit.svelte'),
  '/keys': () => import('./pages/Keys.svelte'),
  '*': Devices,
  layout: Shell,
});

/** Goes to an address as `p` makes it, with its search; the router's own takes a path alone and would escape the rest. */
export async function go(address: string, replace = false): Promise<void> {
  const { pathname, search } = new URL(address, location.origin);
  await navigate(pathname as '/', { search, replace });
}
