/**
 * What this browser and its colleagues are sending in one chat: bubbles that follow their outbox row until the message
 * itself is there. Four things cross on the wire (the answer to POST, frames of the row, the message, a fetched list),
 * in any order; each step here takes one of them and gives the new state.
 */
import type { Message, Outbox } from '../api/types';

export interface Draft {
  type: Outbox['type'];
  text: string;
  quoted_message_id: string | null;
  /** An address of the picture that works before it is uploaded. */
  preview: string | null;
  /** Of a document. */
  name?: string | null;
}

export interface Bubble {
  /** Stays the same from first to last, so that the bubble is not drawn anew. */
  key: string;
  draft: Draft;
  /** null until the server has taken it */
  row: Outbox | null;
  /** Its file is still on its way to the server, so that no news can be about it. */
  waits: boolean;
  /** Why the server did not take it; it may be posted again. */
  refused: string | null;
  /** The network did not carry it, or not its answer: it is posted again by itself. */
  lost: boolean;
  created_at: string;
}

export interface Sending {
  bubbles: readonly Bubble[];
  /** Outbox ids whose message is already shown: later news of the row makes no second bubble. */
  settled: ReadonlySet<string>;
}

export const NOTHING_SENT: Sending = { bubbles: [], settled: new Set() };

export function drafted(state: Sending, key: string, draft: Draft, created_at: string, waits = false): Sending {
  return {
    ...state,
    bubbles: [...state.bubbles, { key, draft, row: null, waits, refused: null, lost: false, created_at }],
  };
}

/** The file of a bubble is there: it is posted now. */
export function leaving(state: Sending, key: string): Sending {
  return { ...state, bubbles: state.bubbles.map((one) => (one.key === key ? { ...one, waits: false } : one)) };
}

/** The answer to POST. */
export function posted(state: Sending, key: string, row: Outbox): Sending {
  const others = state.bubbles.filter((bubble) => bubble.key !== key);
  if (state.settled.has(row.id)) return { ...state, bubbles: others };
  const twin = others.find((bubble) => bubble.row?.id === row.id)?.row;
  const newest = twin ? newerRow(twin, row) : row;
  const bubbles = state.bubbles
    .filter((bubble) => bubble.key === key || bubble.row?.id !== row.id)
    .map((bubble) => (bubble.key === key ? { ...bubble, row: newerRow(bubble.row, newest), refused: null } : bubble));
  return { ...state, bubbles };
}

export function refused(state: Sending, key: string, reason: string): Sending {
  return {
    ...state,
    bubbles: state.bubbles.map((one) => (one.key === key ? { ...one, refused: reason, lost: false } : one)),
  };
}

/** Nobody knows whether the server has it: news of such words may be a colleague's, only posting it again tells. */
export function lost(state: Sending, key: string): Sending {
  return { ...state, bubbles: state.bubbles.map((one) => (one.key === key ? { ...one, lost: true } : one)) };
}

/** What an earlier page left: it is posted now, but for what was refused. */
export function restored(state: Sending, left: readonly Bubble[]): Sending {
  const bubbles = left.map((one) => ({ ...one, waits: false, lost: one.refused === null }));
  return { ...state, bubbles: [...bubbles, ...state.bubbles] };
}

/** With what another chat had, that became part of this one: what the server may not have is posted from here. */
export function joined(state: Sending, other: Sending): Sending {
  const taken = other.bubbles.map((one) => (one.row || one.refused ? one : { ...one, lost: true }));
  return {
    bubbles: [...taken, ...state.bubbles].sort((a, b) => a.created_at.localeCompare(b.created_at)),
    settled: new Set([...state.settled, ...other.settled]),
  };
}

/** Posting a bubble again that was refused or lost. */
export function retried(state: Sending, key: string): Sending {
  const again = (one: Bubble): Bubble => (one.key === key ? { ...one, refused: null, lost: false } : one);
  return { ...state, bubbles: state.bubbles.map(again) };
}

/** Nobody looks at the chat any more: what the server has, it shows again. */
export function closed(state: Sending): Sending {
  return { ...state, bubbles: state.bubbles.filter((bubble) => bubble.row === null) };
}

export function discarded(state: Sending, key: string): Sending {
  return { ...state, bubbles: state.bubbles.filter((bubble) => bubble.key !== key) };
}

/** News of a row, from a frame or a fetched list. */
export function rowChanged(state: Sending, row: Outbox): Sending {
  if (state.settled.has(row.id)) return state;
  const known = state.bubbles.some((bubble) => bubble.row?.id === row.id);
  const own = known ? null : unposted(state, row.type, row.text);
  if (!known && !own && row.state === 'cancelled') return state;
  if (!known && !own) {
    const { type, text, quoted_message_id, media_url: preview, file_name: name } = row;
    const draft = { type, text, quoted_message_id, preview, name };
    const bubble: Bubble = {
      key: `row-${row.id}`,
      draft,
      row,
      waits: false,
      refused: null,
      lost: false,
      created_at: row.created_at,
    };
    return { ...state, bubbles: [...state.bubbles, bubble].sort((a, b) => a.created_at.localeCompare(b.created_at)) };
  }
  // a person took it off, here or in another window
  if (known && row.state === 'cancelled' && row.cause === 'by_person')
    return { ...state, bubbles: state.bubbles.filter((bubble) => bubble.row?.id !== row.id) };
  const bubbles = state.bubbles.map((bubble) =>
    bubble.row?.id === row.id || bubble === own ? { ...bubble, row: newerRow(bubble.row, row), refused: null } : bubble,
  );
  return { ...state, bubbles };
}

/** A message of ours is there: its bubble goes. */
export function messageArrived(state: Sending, message: Message): Sending {
  if (!message.from_me) return state;
  const fits = (bubble: Bubble): boolean =>
    bubble.row !== null && (bubble.row.id === message.outbox_id || bubble.row.message_id === message.message_id);
  const bubble =
    state.bubbles.find(fits) ??
    (message.outbox_id ? unposted(state, message.message_type, message.message_text) : null);
  const id = message.outbox_id ?? bubble?.row?.id;
  const settled = id && !state.settled.has(id) ? new Set([...state.settled, id]) : state.settled;
  if (!bubble && settled === state.settled) return state;
  return { settled, bubbles: bubble ? state.bubbles.filter((one) => one !== bubble) : state.bubbles };
}

/** The oldest bubble of these words whose POST has not been answered: news that overtook the answer belong to it. */
function unposted(state: Sending, type: string, text: string): Bubble | null {
  return (
    state.bubbles.find(
      (one) =>
        !one.row && !one.waits && !one.refused && !one.lost && one.draft.type === type && one.draft.text === text,
    ) ?? null
  );
}

const ROW_RANK: Record<Outbox['state'], number> = {
  queued: 0,
  sending: 1,
  failed: 2,
  expired: 2,
  cancelled: 2,
  unknown: 2,
  sent: 3,
  delivered: 4,
  read: 5,
};

/** Rows only go forward, but for a retry, which counts its attempts. */
function newerRow(known: Outbox | null, arrived: Outbox): Outbox {
  if (!known || arrived.state === 'queued') return known && known.attempts > arrived.attempts ? known : arrived;
  return ROW_RANK[known.state] > ROW_RANK[arrived.state] && known.attempts >= arrived.attempts ? known : arrived;
}
