/** What a conversation shows from top to bottom: days, messages, the unread line, and what is on its way out. */
import type { Message, Note } from '../api/types';
import type { Bubble } from './sending';
import { dayNumber } from './time';

export type Entry =
  /** above it there is nothing kept */
  | { kind: 'start'; key: string }
  | { kind: 'day'; key: string; at: Date }
  | { kind: 'unread'; key: string; count: number }
  /** `first`: starts a run of one person's messages, so it carries the name and the bubble's tail */
  | { kind: 'message'; key: string; message: Message; first: boolean }
  | { kind: 'note'; key: string; note: Note }
  | { kind: 'bubble'; key: string; bubble: Bubble; first: boolean };

export interface UnreadLine {
  /** id of the first unread message */
  before: string;
  count: number;
}

/** Messages of one person further apart than this start a new run (seconds). */
const RUN_GAP = 600;

/**
 * @param messages oldest first
 * @param bubbles oldest first; each stands where it was written
 * @param notes oldest first; each stands where it was written
 */
export function timeline(
  messages: readonly Message[],
  bubbles: readonly Bubble[],
  zone: string,
  unread: UnreadLine | null,
  notes: readonly Note[] = [],
): Entry[] {
  const entries: Entry[] = [];
  let day = Number.NaN;
  let previous: Message | null = null;
  const startDay = (at: Date): void => {
    const number = dayNumber(at, zone);
    if (number === day) return;
    day = number;
    previous = null;
    entries.push({ kind: 'day', key: `day-${number}`, at });
  };
  let nextNote = 0;
  const addNotes = (until: number): void => {
    for (; nextNote < notes.length && Date.parse(notes[nextNote]!.created_at) < until; nextNote += 1) {
      const note = notes[nextNote]!;
      startDay(new Date(note.created_at));
      entries.push({ kind: 'note', key: `note-${note.id}`, note });
      previous = null;
    }
  };
  let next = 0;
  const addBubbles = (until: number): void => {
    for (; next < bubbles.length && Date.parse(bubbles[next]!.created_at) < until; next += 1) {
      const bubble = bubbles[next]!;
      addNotes(Date.parse(bubble.created_at));
      startDay(new Date(bubble.created_at));
      entries.push({
        kind: 'bubble',
        key: bubble.key,
        bubble,
        first: entries.at(-1)?.kind !== 'bubble' && !previous?.from_me,
      });
      previous = null;
    }
  };
  for (const message of messages) {
    addBubbles(message.timestamp * 1000);
    // what was written within the message's second came after it
    addNotes(message.timestamp * 1000);
    startDay(new Date(message.timestamp * 1000));
    if (unread?.before === message.id) {
      entries.push({ kind: 'unread', key: 'unread', count: unread.count });
      previous = null;
    }
    entries.push({ kind: 'message', key: message.id, message, first: !continues(previous, message) });
    previous = message;
  }
  addBubbles(Infinity);
  addNotes(Infinity);
  return entries;
}

function continues(previous: Message | null, message: Message): boolean {
  if (previous === null || previous.message_type === 'system' || message.message_type === 'system') return false;
  return (
    previous.from_me === message.from_me &&
    previous.sender_jid === message.sender_jid &&
    message.timestamp - previous.timestamp < RUN_GAP
  );
}

/** The line above the last `count` messages of others; null when they are not all there or there are none. */
export function unreadLine(messages: readonly Message[], count: number): UnreadLine | null {
  if (count <= 0) return null;
  const received = messages.filter((message) => !message.from_me && message.message_type !== 'system');
  const first = received.at(-count);
  return first ? { before: first.id, count } : null;
}
