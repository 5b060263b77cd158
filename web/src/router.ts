import { createRouter } from 'sv-router';
import Devices from './pages/Devices.svelte';
import Inbox from './pages/Inbox.svelte';
import InboxHome from './pages/InboxHome.svelte';
import Shell from './components/Shell.svelte';

export const { p, navigate, isActive, route } = createRouter({
  '/': Devices,
  '/inbox': InboxHome,
  '/device/:id/whatsapp-web': Inbox,
  '/device/:id/whatsapp-web/:chat': Inbox,
  '/keys': () => import('./pages/Keys.svelte'),
  '*': Devices,
  layout: Shell,
});
