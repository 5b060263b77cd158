/** Which files can be sent as a picture; the server looks at the bytes again. */
const TYPES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

export function isPicture(file: File): boolean {
  return TYPES.has(file.type);
}

/** The files of a paste or drop. */
export function filesOf(transfer: DataTransfer | null): File[] {
  return [...(transfer?.files ?? [])];
}
