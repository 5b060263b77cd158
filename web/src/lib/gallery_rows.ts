/** The rows of a gallery from top to bottom: a line for every month, and below it what was sent in it. */
import type { Message } from '../api/types';
import { monthNumber } from './time';

export type GalleryKind = 'image' | 'video' | 'document' | 'link';

export type GalleryRow = { kind: 'month'; key: string; at: Date } | { kind: 'cells'; key: string; messages: Message[] };

/**
 * @param messages newest first
 * @param columns how many fit beside each other
 */
export function galleryRows(messages: readonly Message[], columns: number, zone: string): GalleryRow[] {
  const rows: GalleryRow[] = [];
  let month = Number.NaN;
  for (const message of messages) {
    const at = new Date(message.timestamp * 1000);
    const number = monthNumber(at, zone);
    if (number !== month) rows.push({ kind: 'month', key: `month-${number}`, at });
    const last = rows.at(-1)!;
    if (number === month && last.kind === 'cells' && last.messages.length < columns) last.messages.push(message);
    else rows.push({ kind: 'cells', key: message.id, messages: [message] });
    month = number;
  }
  return rows;
}

const LINK = /https?:\/\/|www\./iu;

/** Whether a message belongs under a tab: as the server decides it. */
export function belongs(message: Message, kind: GalleryKind): boolean {
  if (message.message_type === 'deleted') return false;
  return kind === 'link' ? LINK.test(message.message_text) : message.message_type === kind;
}
