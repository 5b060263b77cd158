/**
 * People named in the words of a group: there stands `@` and the digits of their number or LID; in what became of the
 * group, the digits alone or behind `+`.
 */

/** Whom digits mean, and what they are called. */
export interface Named {
  digits: string;
  name: string;
}

/** As the server looks for them. */
const MENTION = /(?<![0-9A-Za-z])@(\d{5,18})(?!\d)/gu;
const NOTICE = /(?<![0-9A-Za-z])\+?(\d{5,18})(?!\d)/gu;

type Piece = { kind: 'text'; text: string } | { kind: 'mention'; text: string; name: string };

/** A text in pieces that name somebody and pieces between them. */
export function cutAtMentions(text: string, people: readonly Named[], marks = MENTION): Piece[] {
  const names = new Map(people.map(({ digits, name }) => [digits, name]));
  const pieces: Piece[] = [];
  let plain = 0;
  const take = (end: number): void => {
    if (end > plain) pieces.push({ kind: 'text', text: text.slice(plain, end) });
  };
  for (const found of text.matchAll(marks)) {
    const name = names.get(found[1]!);
    if (name === undefined) continue;
    take(found.index);
    pieces.push({ kind: 'mention', text: found[0], name });
    plain = found.index + found[0].length;
  }
  take(text.length);
  return pieces;
}

/** What is read there. */
export function spoken(piece: { text: string; name?: string }): string {
  return piece.name === undefined ? piece.text : `@${piece.name}`;
}

/** The text with names in the place of digits. */
export function withNames(text: string, people: readonly Named[]): string {
  return cutAtMentions(text, people).map(spoken).join('');
}

/** What became of a group, with names in the place of digits. */
export function noticeWithNames(text: string, people: readonly Named[]): string {
  const pieces = cutAtMentions(text, people, NOTICE);
  return pieces.map((piece) => (piece.kind === 'mention' ? piece.name : piece.text)).join('');
}
