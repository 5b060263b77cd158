/** WhatsApp allows 64 KB in one message; more than a screen or two of it is shown when asked for. */
const CHARACTERS = 3000;
const LINES = 60;

/** As much of a text as is shown at first: all of one that is neither long nor high. */
export function beginning(text: string): string {
  const breaks = text.slice(0, CHARACTERS).matchAll(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/gu);
  return text.slice(0, [...breaks][LINES - 1]?.index ?? CHARACTERS);
}
