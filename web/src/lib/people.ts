/** How people and lines are shown where there is no picture: initials, and a colour that stays theirs. */

/** One or two letters of a name; of a number, its last two digits. */
export function initials(name: string): string {
  const words = name.match(/[\p{L}\p{N}]+/gu) ?? [];
  if (words.length === 0) return '?';
  if (words.every((word) => /^\d+$/u.test(word))) return words.join('').slice(-2);
  const letters = words.length === 1 ? [words[0]!] : [words[0]!, words.at(-1)!];
  return letters.map((word) => [...word][0]!.toUpperCase()).join('');
}

/** Number of colours `--person-1` … in styles/tokens.css. */
const COLOURS = 8;

/** The colour of a person, the same on every screen. */
export function personColour(jid: string): string {
  let hash = 7;
  for (const char of jid) hash = (hash * 31 + char.codePointAt(0)!) % 1_000_003;
  return `var(--person-${(hash % COLOURS) + 1})`;
}
