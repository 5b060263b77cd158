/** Which of the files somebody offers can be sent; why others can't is said. */
import { t } from '../i18n/index.svelte';
import { tooLarge } from './attachment.svelte';
import { toasts } from './toasts.svelte';

/** As WhatsApp has it for pictures: each is a message of its own, and more would not be looked through before they leave. */
export const MOST_AT_ONCE = 30;
/** So many names fit into a notice. */
const MOST_NAMED = 5;

/** @param before how many were taken already, and have not left */
export function taken(offered: readonly File[], before: number): File[] {
  for (const file of offered.filter(tooLarge)) toasts.failed(t('file.too_large', { name: file.name }));
  const fit = offered.filter((file) => !tooLarge(file));
  const room = Math.max(0, MOST_AT_ONCE - before);
  const left = fit.slice(room);
  if (left.length > 0) toasts.failed(t('file.too_many', { most: MOST_AT_ONCE, names: named(left) }));
  return fit.slice(0, room);
}

function named(files: readonly File[]): string {
  const names = files.slice(0, MOST_NAMED).map((file) => file.name);
  const more = files.length - names.length;
  return names.join(', ') + (more > 0 ? ` +${more}` : '');
}
