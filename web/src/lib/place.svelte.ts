/** Where the signed-in person is: language and time zone for `time.ts`. */
import { language, t } from '../i18n/index.svelte';
import { account } from './account.svelte';
import type { Place } from './time';

export function place(): Place {
  return { locale: language.locale, zone: account.zone, today: t('inbox.today'), yesterday: t('inbox.yesterday') };
}
