/** The messages of a conversation, oldest first: order, and merging of what is known with what arrives. */
import type { Message } from '../api/types';

/** How far a message got; only `failed` may follow anything. */
const RANK: Record<Message['status'], number> = {
  received: 0,
  pending: 1,
  sent: 2,
  delivered: 3,
  read: 4,
  played: 5,
  failed: 6,
};

/** By time; within one second as they were stored, and at last by the number behind the dash of the id. */
export function compareMessages(a: Message, b: Message): number {
  if (a.timestamp !== b.timestamp) return a.timestamp - b.timestamp;
  if (a.created_at !== b.created_at) {
    // a Date knows milliseconds, the text microseconds
    return Date.parse(a.created_at) - Date.parse(b.created_at) || (a.created_at < b.created_at ? -1 : 1);
  }
  const [ka, kb] = [a.id.slice(a.id.indexOf('-') + 1), b.id.slice(b.id.indexOf('-') + 1)];
  return ka.length - kb.length || (ka < kb ? -1 : Number(ka > kb));
}

/** The newer of two states of one message, whichever came first over the wire: ticks, edits and deletions only go forward. */
export function newerMessage(known: Message, arrived: Message): Message {
  const deleted = known.deleted_at !== null && arrived.deleted_at === null;
  const edited = !deleted && (known.edited_at ?? '') > (arrived.edited_at ?? '') && arrived.deleted_at === null;
  const base = deleted || edited ? known : arrived;
  const status = RANK[known.status] > RANK[arrived.status] ? known.status : arrived.status;
  return { ...base, status };
}

/** `list` (in order) with `arrived` in their places; one that is known already is merged. */
export function placeMessages(list: readonly Message[], arrived: readonly Message[]): Message[] {
  const byId = new Map(list.map((message) => [message.id, message]));
  let fresh = false;
  for (const message of arrived) {
    const known = byId.get(message.id);
    fresh ||= known === undefined;
    byId.set(message.id, known ? newerMessage(known, message) : message);
  }
  const merged = [...byId.values()];
  return fresh ? merged.sort(compareMessages) : merged;
}

/**
 * The list after a gap in the live connection: `page` is the newest page as the server has it. Where it touches what is
 * shown, both are joined; where it does not, what is shown is given up, as there may be a hole between them.
 */
export function rejoinMessages(list: readonly Message[], page: readonly Message[], complete: boolean): Message[] {
  const ids = new Set(page.map((message) => message.id));
  const touches = list.some((message) => ids.has(message.id));
  if (!touches || complete) return [...page].sort(compareMessages);
  const oldest = page.reduce((a, b) => (compareMessages(a, b) <= 0 ? a : b));
  const older = list.filter((message) => compareMessages(message, oldest) < 0);
  return placeMessages(older, page);
}
