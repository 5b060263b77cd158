import { cutAtMentions, spoken, type Named } from './mentions';

/**
 * WhatsApp's markup as a tree, so that it can be shown without ever handling HTML. Nothing is lost: `source` of a tree
 * is the text it came from, byte for byte.
 */
export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'link'; text: string; href: string }
  | { kind: 'mention'; text: string; name: string }
  | { kind: 'code'; text: string }
  | { kind: 'block'; text: string }
  | { kind: 'bold'; children: Node[] }
  | { kind: 'italic'; children: Node[] }
  | { kind: 'strike'; children: Node[] };

const MARKS = { '*': 'bold', _: 'italic', '~': 'strike' } as const;
const FENCE = '```';
type Mark = keyof typeof MARKS;

const LINK = /(?:https?:\/\/|www\.)[^\s<>"]+/giu;
/** Punctuation that ends a sentence rather than an address; a closing bracket stays when the address opened it. */
const TRAILING = /[.,;:!?'"*_~]+$/u;
/** Deeper nesting than people write; also bounds the recursion for hostile text. */
const MAX_DEPTH = 8;
const WORD = /[\p{L}\p{N}]/u;

/** The addresses in a text, as they stand there and as they are opened; whatever marks surround them. */
export function linksIn(text: string): { text: string; href: string }[] {
  return links(text).flatMap((node) => (node.kind === 'link' ? [{ text: node.text, href: node.href }] : []));
}

/** @param people those the text may name, by digits behind `@` */
export function parse(text: string, people: readonly Named[] = []): Node[] {
  const nodes = parseInline(text, 0);
  return people.length > 0 ? named(nodes, people) : nodes;
}

function named(nodes: readonly Node[], people: readonly Named[]): Node[] {
  return nodes.flatMap((node): Node[] => {
    if ('children' in node) return [{ ...node, children: named(node.children, people) }];
    return node.kind === 'text' ? cutAtMentions(node.text, people) : [node];
  });
}

function parseInline(text: string, depth: number): Node[] {
  const nodes: Node[] = [];
  let plain = 0;
  let at = 0;
  const take = (end: number): void => {
    if (end > plain) nodes.push(...links(text.slice(plain, end)));
  };
  const nowhere = new Map<string, number>();
  const ends = findEnds(text);
  while (at < text.length) {
    const found = markAt(text, at, depth, ends, nowhere);
    if (!found) {
      at = afterLink(text, at);
      continue;
    }
    take(at);
    nodes.push(found.node);
    at = plain = found.end;
  }
  take(text.length);
  return nodes;
}

interface Found {
  node: Node;
  end: number;
}

function markAt(text: string, at: number, depth: number, ends: Ends, nowhere: Map<string, number>): Found | null {
  const char = text[at]!;
  if (char === '`') return codeAt(text, at, nowhere);
  if (!(char in MARKS) || depth >= MAX_DEPTH || !opens(text, at)) return null;
  const end = closing(at, char as Mark, ends);
  if (end < 0) return null;
  return {
    node: { kind: MARKS[char as Mark], children: parseInline(text.slice(at + 1, end), depth + 1) },
    end: end + 1,
  };
}

function codeAt(text: string, at: number, nowhere: Map<string, number>): Found | null {
  if (text.startsWith(FENCE, at)) {
    const end = nextIndex(text, FENCE, at + 3, nowhere);
    if (end > at + 3) return { node: { kind: 'block', text: text.slice(at + 3, end) }, end: end + 3 };
  }
  const end = nextIndex(text, '`', at + 1, nowhere);
  const inside = end > 0 ? text.slice(at + 1, end) : '';
  if (inside.trim() === '' || inside.includes('\n')) return null;
  return { node: { kind: 'code', text: inside }, end: end + 1 };
}

/** `indexOf` that remembers "nowhere behind here", so that 64 KB of opening marks are not searched once each. */
function nextIndex(text: string, needle: string, from: number, nowhere: Map<string, number>): number {
  const none = nowhere.get(needle);
  if (none !== undefined && from >= none) return -1;
  const found = text.indexOf(needle, from);
  if (found < 0) nowhere.set(needle, from);
  return found;
}

/** A mark opens where a word could start and is followed by something to mark. */
function opens(text: string, at: number): boolean {
  const next = text[at + 1];
  if (next === undefined || /\s/u.test(next) || next === text[at]) return false;
  return at === 0 || !WORD.test(text[at - 1]!);
}

/** The matching end on the same line. */
function closing(at: number, mark: Mark, ends: Ends): number {
  const end = firstFrom(ends[mark], at + 2);
  const line = firstFrom(ends['\n'], at);
  return end < line ? end : -1;
}

type Ends = Record<Mark | '\n', number[]>;

/** Where each mark can close (directly behind a character, not before a word) and where lines end: found once per text. */
function findEnds(text: string): Ends {
  const ends: Ends = { '*': [], _: [], '~': [], '\n': [] };
  for (const found of text.matchAll(/[*_~\n]/gu)) {
    const at = found.index;
    const char = found[0] as keyof Ends;
    const after = text[at + 1];
    if (char === '\n') ends[char].push(at);
    else if (at > 0 && !/\s/u.test(text[at - 1]!) && (after === undefined || !WORD.test(after))) ends[char].push(at);
  }
  return ends;
}

/** The first of `sorted` that is not below `from`; Infinity when there is none. */
function firstFrom(sorted: readonly number[], from: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < from) low = middle + 1;
    else high = middle;
  }
  return sorted[low] ?? Infinity;
}

/** Steps over an address as a whole, so that the underscores in it mark nothing; else one character on. */
function afterLink(text: string, at: number): number {
  const char = text[at];
  if (char !== 'h' && char !== 'H' && char !== 'w' && char !== 'W') return at + 1;
  const sticky = new RegExp(LINK.source, 'iuy');
  sticky.lastIndex = at;
  const found = sticky.exec(text);
  return found ? at + trimmed(found[0]).length : at + 1;
}

function trimmed(address: string): string {
  let end = address.replace(TRAILING, '');
  while (end.endsWith(')') && !end.includes('(')) end = end.slice(0, -1).replace(TRAILING, '');
  return end;
}

function links(text: string): Node[] {
  const nodes: Node[] = [];
  let plain = 0;
  for (const found of text.matchAll(LINK)) {
    const address = trimmed(found[0]);
    const href = address.toLowerCase().startsWith('www.') ? `https://${address}` : address;
    if (!URL.canParse(href) || new URL(href).hostname.length < 3) continue;
    if (found.index > plain) nodes.push({ kind: 'text', text: text.slice(plain, found.index) });
    nodes.push({ kind: 'link', text: address, href });
    plain = found.index + address.length;
  }
  if (plain < text.length) nodes.push({ kind: 'text', text: text.slice(plain) });
  return nodes;
}

const DELIMITERS = { bold: '*', italic: '_', strike: '~', code: '`', block: FENCE } as const;

/** The text a tree was parsed from. */
export function source(nodes: readonly Node[]): string {
  return nodes
    .map((node) => {
      if (node.kind === 'text' || node.kind === 'link' || node.kind === 'mention') return node.text;
      const mark = DELIMITERS[node.kind];
      return mark + ('children' in node ? source(node.children) : node.text) + mark;
    })
    .join('');
}

/** What a person reads, without marks: for previews in lists. */
export function plainText(text: string, people: readonly Named[] = []): string {
  const words = (nodes: readonly Node[]): string =>
    nodes.map((node) => ('children' in node ? words(node.children) : spoken(node))).join('');
  return words(parse(text, people));
}
