/** What a run on many devices did, in one sentence: who was skipped is named, as far as three names go. */
import { t, tn } from '../i18n/index.svelte';
import type { Outcome } from './bulk.svelte';

const NAMES = 3;

/** @param nameOf a device's name; undefined for one that is gone */
export function told(outcome: Outcome, nameOf: (id: string) => string | undefined): string {
  const parts: string[] = [];
  if (outcome.changed.size > 0 || (outcome.unchanged === 0 && outcome.skipped.length === 0))
    parts.push(tn(`bulk.done_${outcome.action}`, outcome.changed.size));
  if (outcome.unchanged > 0) parts.push(tn('bulk.unchanged', outcome.unchanged));
  for (const reason of new Set(outcome.skipped.map((one) => one.reason))) {
    const skipped = outcome.skipped.filter((one) => one.reason === reason);
    const names = skipped.slice(0, NAMES).flatMap((one) => nameOf(one.device_id) ?? []);
    const rest = names.length > 0 && skipped.length > names.length ? ', …' : '';
    parts.push(
      tn(`bulk.skipped_${reason}`, skipped.length) + (names.length > 0 ? ` (${names.join(', ')}${rest})` : ''),
    );
  }
  if (outcome.left > 0) parts.push(tn('bulk.left', outcome.left));
  return parts.join(' · ');
}

/** `Connecting`, beside the bar. */
export function doing(action: Outcome['action']): string {
  return t(`bulk.running_${action}`);
}
