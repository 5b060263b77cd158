/** Which files can be sent as a picture; the server looks at the bytes again. */
import { t } from '../i18n/index.svelte';
import { toasts } from './toasts.svelte';

const TYPES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

export function isPicture(file: File): boolean {
  return TYPES.has(file.type);
}

/** Whether something that is dragged has files; which, a browser tells only at the drop. */
export function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false;
}

/** The files of a paste or drop; a folder, which browsers name among them, is none and can't be read: that is said. */
export function filesOf(transfer: DataTransfer | null): File[] {
  const items = [...(transfer?.items ?? [])].filter(({ kind }) => kind === 'file');
  const isFolder = (item: DataTransferItem): boolean => item.webkitGetAsEntry()?.isDirectory === true;
  if (items.some(isFolder)) toasts.failed(t('file.folder'));
  return items.flatMap((item) => (isFolder(item) ? [] : (item.getAsFile() ?? [])));
}
