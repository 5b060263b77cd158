/** What `/ws` sends. `id` is `<epoch>:<sequence>`: a new epoch for every start of the server, sequences only rise. */
import type { Campaign, Chat, Device, Label, Message, Note, Outbox, Pairing } from '../api/types';

export interface Deleted {
  id: string;
  deleted: true;
}

export interface GoneNote {
  id: string;
  chat_id: string;
  deleted: true;
}

/** All of the chat `id` is in the chat `became` now. */
export interface GoneChat {
  id: string;
  became: string;
  device_id: string;
}

interface Results {
  NEW_MESSAGE: Message;
  CHAT_UPDATE: Chat;
  CHAT_GONE: GoneChat;
  MESSAGE_STATUS: Message | Outbox;
  MESSAGE_GONE: { id: string; chat_id: string; device_id: string };
  DEVICE_STATUS: Device | Deleted;
  QR_UPDATE: Pairing;
  DEVICE_PAIRED: Device;
  DEVICE_CONNECTED: Device;
  DEVICE_LOGGED_OUT: Device;
  NOTE_UPDATE: Note | GoneNote;
  LABELS_UPDATE: { items: Label[] };
  SEQUENCE_UPDATE: { id: string };
  LEAD_UPDATE: { ids: string[] };
  IMPORT_UPDATE: { id: string };
  CAMPAIGN_UPDATE: Campaign | Deleted;
  RESYNC: { reason: string };
}

export type Frame = {
  [Code in keyof Results]: { id: string; code: Code; message: string; result: Results[Code] };
}[keyof Results];

/** The answer to `ping`, behind all that happened before. */
export interface Pong {
  id: string;
  code: 'PONG';
}

/** A frame from the text of a WebSocket message, or null for what this version does not know. */
export function readFrame(text: string): Frame | Pong | null {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('code' in value) || !('result' in value)) return null;
  return value as Frame | Pong;
}

/** Whether `id` was already seen when `last` was the newest: the same start of the server and not beyond it. */
export function isRepeat(id: string, last: string | null): boolean {
  if (last === null) return false;
  const [epoch, sequence] = id.split(':');
  const [lastEpoch, lastSequence] = last.split(':');
  return epoch === lastEpoch && Number(sequence) <= Number(lastSequence);
}

/**
 * Whether what is shown of a lead may be old: it changed, many changed (a frame without ids), or frames were missed.
 *
 * @param id the lead; undefined: any
 */
export function concerns(frame: Frame, id: string | undefined): boolean {
  if (frame.code !== 'LEAD_UPDATE') return frame.code === 'RESYNC';
  const { ids } = frame.result;
  return id === undefined || ids.length === 0 || ids.includes(id);
}

export function isDeleted(result: Device | Campaign | Deleted): result is Deleted {
  return 'deleted' in result;
}

export function isGoneNote(result: Note | GoneNote): result is GoneNote {
  return 'deleted' in result;
}

/** MESSAGE_STATUS carries the outbox row as long as there is no message yet. */
export function isOutbox(result: Message | Outbox): result is Outbox {
  return 'state' in result;
}
