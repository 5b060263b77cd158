/** Why a file that is imported, or a row of it, was not taken in, in the language in use. */
import type { ImportCause, ImportProblem, LeadImport } from '../api/types';
import { sentence, t, told } from '../i18n/index.svelte';

/** Why nothing of a file came in, or another sheet can't be read; '' when nothing is wrong. */
export function refusalOf({ reason, cause }: LeadImport): string {
  if (!reason) return '';
  return (cause && words(cause, reason)) ?? t('leads.import_refused', { reason: sentence(reason) });
}

/** Why a row was not taken in, or not all of it. */
export function problemWords({ reason, value, causes }: ImportProblem): string {
  const parts = causes.map((cause) => words(cause, null, value));
  const isKnown = parts.length > 0 && parts.every((part) => part !== null);
  return isKnown ? parts.join(' ') : t('leads.import_row_refused', { reason: sentence(reason) });
}

function words({ kind, values }: ImportCause, english: string | null, value = ''): string | null {
  return told(kind, english, { value, ...values });
}
