import { Problem } from '../api/problem';
import { t } from '../i18n/index.svelte';
import type { Conversation } from './conversation.svelte';
import { toasts } from './toasts.svelte';

/** To a message of the chat, also where it has to be fetched; why that is not possible is said in a notice. */
export async function jump(conversation: Conversation, target: string): Promise<void> {
  try {
    await conversation.show(target);
  } catch (error) {
    if (error instanceof Problem && error.status === 404) toasts.failed(t('reading.not_kept'));
    else toasts.error(error);
  }
}
