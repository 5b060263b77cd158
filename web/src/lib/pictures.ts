/** Which files can be sent as a picture; the server looks at the bytes again. */
const TYPES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

export const PICTURE_TYPES = [...TYPES].join(',');

export function isPicture(file: File): boolean {
  return TYPES.has(file.type);
}

/** The first file of a paste or drop, if there is one. */
export function firstFile(transfer: DataTransfer | null): File | null {
  return transfer?.files[0] ?? null;
}
