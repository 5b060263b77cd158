/** What is said of rows of the outbox. */
import { told } from '../i18n/index.svelte';

/** Why a row is as it is; what is unknown may carry the cause of a cancel that came while it was being sent. */
export function whyWords(state: string, cause: string | null, reason: string | null): string | null {
  return told(state === 'unknown' ? 'unknown' : cause, reason);
}
