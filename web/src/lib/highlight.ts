/** Where something was found, for the eye: the API's ranges, which count code points, as pieces of text. */

export interface Piece {
  text: string;
  found: boolean;
}

type Ranges = readonly (readonly number[])[];

/** Code points left before the first place that was found, so that it can be seen on one line. */
const BEFORE = 24;
/** As many as fit on two lines of the widest list. */
const SHOWN = 160;

/** The text in pieces that were found and pieces between them. */
export function pieces(text: string, ranges: Ranges): Piece[] {
  return cut(Array.from(text), ranges);
}

/** One line around the first place that was found, without WhatsApp's marks (`*bold*`). */
export function excerpt(text: string, ranges: Ranges): Piece[] {
  const points = Array.from(text).map((point, at, all) => (isMark(all, at) ? '' : point));
  const first = ranges[0]?.[0] ?? 0;
  const start = first > BEFORE * 1.5 ? first - BEFORE : 0;
  const end = Math.min(points.length, start + SHOWN);
  const within = ranges.filter((range) => range[0]! < end).map((range) => [range[0]! - start, range[1]! - start]);
  const line = cut(points.slice(start, end), within).map((piece) => ({
    ...piece,
    text: piece.text.replace(/\s/gu, ' '),
  }));
  if (start > 0) line.unshift({ text: '…', found: false });
  if (end < points.length) line.push({ text: '…', found: false });
  return line;
}

/** Marks stand at the edges of words; inside a word, as in `a_b`, such a letter is one. */
function isMark(points: readonly string[], at: number): boolean {
  if (!/[*_~]/u.test(points[at]!)) return false;
  const isLetter = (point: string | undefined): boolean => /[\p{L}\p{N}\p{M}]/u.test(point ?? '');
  return isLetter(points[at - 1]) !== isLetter(points[at + 1]);
}

function cut(points: string[], ranges: Ranges): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  const take = (end: number, isFound: boolean): void => {
    if (end > at) found.push({ text: points.slice(at, end).join(''), found: isFound });
    at = Math.max(at, end);
  };
  for (const range of ranges) {
    take(Math.min(range[0]!, points.length), false);
    take(Math.min(range[1]!, points.length), true);
  }
  take(points.length, false);
  return found;
}
