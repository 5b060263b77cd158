/** Why somebody wants nothing more, as the server keeps it: its own reasons in the reader's words, a person's as written. */
import { t } from '../i18n/index.svelte';

/** What is kept of whom somebody here has put on the list. */
export const BY_PERSON = 'by a person';
const REPLIED = 'replied ';

export function optOutWords(reason: string): string {
  if (reason === BY_PERSON) return t('leads.stopped_by_person');
  if (reason === 'imported') return t('leads.stopped_imported');
  return reason.startsWith(REPLIED) ? t('leads.stopped_replied', { word: reason.slice(REPLIED.length) }) : reason;
}
