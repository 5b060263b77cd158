/** Countries by their name in a language. */

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
/** Names the browser has for what is no country. */
const OTHERS = new Set(['EU', 'EZ', 'QO', 'UN', 'XA', 'XB', 'ZZ']);

export interface Country {
  code: string;
  name: string;
}

/** @param locale BCP 47, for the names and their order */
export function countries(locale: string): Country[] {
  const names = new Intl.DisplayNames(locale, { type: 'region', fallback: 'none' });
  const codes = LETTERS.flatMap((first) => LETTERS.map((second) => first + second)).filter((code) => !OTHERS.has(code));
  return codes
    .map((code) => ({ code, name: names.of(code) ?? '' }))
    .filter((one) => one.name !== '')
    .sort((one, other) => one.name.localeCompare(other.name, locale));
}
