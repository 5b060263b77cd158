/** `tags` with what was written besides; without regard to case nothing is there twice, and blanks are no tag. */
export function withTag(tags: readonly string[], written: string): string[] {
  const tag = written.trim();
  const isNew = tag !== '' && !tags.some((one) => one.toLowerCase() === tag.toLowerCase());
  return isNew ? [...tags, tag] : [...tags];
}
