/** How long a text may be. A field that cuts what is pasted says nothing: the text stays, and what is too much is told. */

/** What WhatsApp takes in one message. */
export const LONGEST_MESSAGE = 65_536;
export const LONGEST_NOTE = 10_000;
export const LONGEST_QUICK_REPLY = 4096;

/** How many characters of a text are too many, counted as the server does: an emoji of two units is one. */
export function excess(text: string, longest: number): number {
  if (text.length <= longest) return 0;
  return Math.max(0, [...text].length - longest);
}
