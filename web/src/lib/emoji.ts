/** Whether a text is nothing but one to three emojis: those are shown large. */
const EMOJI = /^(?:\p{RGI_Emoji}|\s)+$/v;
const LARGEST = 3;

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

export function isLargeEmoji(text: string): boolean {
  const trimmed = text.trim();
  // The longest sequences (families, flags of regions) have some 35 code units each.
  if (trimmed === '' || trimmed.length > LARGEST * 35 || !EMOJI.test(trimmed)) return false;
  return [...segmenter.segment(trimmed.replace(/\s/gu, ''))].length <= LARGEST;
}
