/** Putting a text on the clipboard. */
import { t } from '../i18n/index.svelte';
import { toasts } from './toasts.svelte';

/** Gives whether it is there now; where not, that is said. */
export async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // a page that came over plain HTTP from another machine has no clipboard
    if (selectionCopied(text)) return true;
    toasts.failed(t('action.not_copied'));
    return false;
  }
}

/** The older way: what is selected is copied. */
function selectionCopied(text: string): boolean {
  const focused = document.activeElement;
  const field = document.createElement('textarea');
  field.value = text;
  field.style.cssText = 'position: fixed; opacity: 0';
  // a dialog lets nothing outside of it have the focus
  (focused?.closest('[role=dialog]') ?? document.body).append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return done;
}
