import { language } from '../i18n/index.svelte';

await language.begin();
