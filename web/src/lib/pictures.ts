/** Which files can be sent as a picture; the server looks at the bytes again. */
const TYPES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

export function isPicture(file: File): boolean {
  return TYPES.has(file.type);
}

/** The files of a paste or drop; a folder, which browsers name among them, is none and can't be read. */
export function filesOf(transfer: DataTransfer | null): File[] {
  const items = [...(transfer?.items ?? [])].filter(({ kind }) => kind === 'file');
  return items.flatMap((item) => (item.webkitGetAsEntry()?.isDirectory ? [] : (item.getAsFile() ?? [])));
}
