/**
 * What this browser and its colleagues are doing to messages of one chat (reactions, edits, deletions): shown at once, taken
 * back when it fails, and forgotten when the message itself says it. As in `sending.ts`, the answer to POST, frames of the
 * row and the message cross on the wire in any order; each step takes one of them and gives the new state.
 */
import type { Message, Outbox } from '../api/types';
import { isTicked } from './ticks';

export type ChangeKind = 'reaction' | 'edit' | 'delete';

export interface Change {
  key: string;
  kind: ChangeKind;
  /** WhatsApp's id of the message */
  target: string;
  /** the emoji (empty takes it back) or the new words */
  text: string;
  /** null until the server has taken it */
  row: Outbox | null;
}

export type Changes = readonly Change[];

const OPEN = new Set<Outbox['state']>(['queued', 'sending']);
const FAILED = new Set<Outbox['state']>(['failed', 'expired', 'unknown', 'cancelled']);

export function isChange(row: Outbox): boolean {
  return row.target_message_id !== null;
}

/** A change begun here; of two alike the later counts. */
export function begun(state: Changes, change: Change): Changes {
  return [...state.filter((one) => one.target !== change.target || one.kind !== change.kind), change];
}

/** A change that came to nothing. */
export function dropped(state: Changes, key: string): Changes {
  return state.filter((one) => one.key !== key);
}

/** The answer to POST. */
export function posted(state: Changes, key: string, row: Outbox): Changes {
  if (FAILED.has(row.state)) return dropped(state, key);
  return state.map((one) => (one.key === key ? { ...one, row: one.row ?? row } : one));
}

/** News of a row, from a frame or a fetched list. `failed` is set when the change was shown and is taken back now. */
export function rowChanged(state: Changes, row: Outbox): { state: Changes; failed: boolean } {
  const known = state.find((one) => one.row?.id === row.id) ?? state.find((one) => one.row === null && isOf(one, row));
  if (FAILED.has(row.state)) return { state: known ? dropped(state, known.key) : state, failed: known !== undefined };
  if (known) return { state: state.map((one) => (one === known ? { ...one, row } : one)), failed: false };
  if (!OPEN.has(row.state) || state.some((one) => isAfter(one, row))) return { state, failed: false };
  const change = { key: `row-${row.id}`, kind: row.type as ChangeKind, target: row.target_message_id!, text: row.text };
  return { state: begun(state, { ...change, row }), failed: false };
}

/** What is left of a deleted message. */
const EMPTY = {
  message_type: 'deleted',
  message_text: '',
  media: null,
  media_url: null,
  place: null,
  contacts: [],
} satisfies Partial<Message>;

function isOf(change: Change, row: Outbox): boolean {
  return change.kind === row.type && change.target === row.target_message_id && change.text === row.text;
}

/** Whether a change replaces that of a row: it was begun later, or its row was. */
function isAfter(change: Change, row: Outbox): boolean {
  if (change.kind !== row.type || change.target !== row.target_message_id) return false;
  return change.row === null || BigInt(change.row.id) > BigInt(row.id);
}

/** Messages that arrived: changes they already show are over. */
export function messagesArrived(state: Changes, messages: readonly Message[], own: string | null): Changes {
  if (state.length === 0) return state;
  const byId = new Map(messages.map((message) => [message.message_id, message]));
  const left = state.filter((change) => {
    const message = byId.get(change.target);
    return !message || !shows(message, change, own);
  });
  return left.length === state.length ? state : left;
}

/** The reaction of this line to a message; empty when there is none. */
export function ownReaction(message: Message, own: string | null): string {
  return message.reactions.find((one) => one.sender_jid === own)?.emoji ?? '';
}

function shows(message: Message, change: Change, own: string | null): boolean {
  if (message.deleted_at !== null) return true;
  switch (change.kind) {
    case 'reaction':
      return ownReaction(message, own) === change.text;
    case 'edit':
      return message.message_text === change.text;
    case 'delete':
      return false;
  }
}

/** The messages as they will be. */
export function withChanges(messages: readonly Message[], state: Changes, own: string | null): readonly Message[] {
  if (state.length === 0) return messages;
  return messages.map((message) =>
    state.filter((one) => one.target === message.message_id).reduce(changed(own), message),
  );
}

function changed(own: string | null): (message: Message, change: Change) => Message {
  return (message, change) => {
    if (message.deleted_at !== null) return message;
    const at = new Date().toISOString();
    switch (change.kind) {
      case 'reaction': {
        const others = message.reactions.filter((one) => one.sender_jid !== own);
        const ours = { sender_jid: own ?? '', emoji: change.text, at: Math.floor(Date.now() / 1000) };
        return { ...message, reactions: change.text === '' ? others : [...others, ours] };
      }
      case 'edit':
        return { ...message, message_text: change.text, edited_at: message.edited_at ?? at };
      case 'delete':
        return { ...message, ...EMPTY, deleted_at: at };
    }
  };
}

/** WhatsApp takes edits so long, and deletions. Milliseconds. */
const EDIT_WITHIN = 15 * 60_000;
const DELETE_WITHIN = 60 * 3_600_000;
const WITHOUT_REACTION = new Set<Message['message_type']>(['system', 'call', 'deleted', 'unsupported']);
const FORWARDED = new Set<Message['message_type']>(['text', 'image', 'video', 'audio', 'voice', 'document']);

export interface Possible {
  react: boolean;
  edit: boolean;
  delete: boolean;
  forward: boolean;
}

/** What a person may do to a message at an instant (milliseconds). */
export function possible(message: Message, now: number): Possible {
  const age = now - message.timestamp * 1000;
  const ours = isTicked(message.message_type, message.from_me);
  return {
    react: !WITHOUT_REACTION.has(message.message_type),
    edit: ours && message.message_type === 'text' && age < EDIT_WITHIN,
    delete: ours && age < DELETE_WITHIN,
    forward: FORWARDED.has(message.message_type) && !message.is_view_once,
  };
}
