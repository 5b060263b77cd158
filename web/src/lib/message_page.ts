/** A page of a chat's messages, as the API gives it. */
import { api, data } from '../api/client';
import type { MessageWindow } from '../api/types';

const PAGE = 50;

export interface PlaceOfPage {
  limit?: number;
  after?: string;
  before?: string;
  /** A message's id, WhatsApp's id of it, or an instant. */
  around?: string;
}

/** @param place where it lies; without one the newest messages are given */
export function messagePage(chat: string, place: PlaceOfPage = {}): Promise<MessageWindow> {
  const params = { path: { chat_id: chat }, query: { limit: PAGE, ...place } };
  return data(api.GET('/api/v1/chats/{chat_id}/messages', { params }));
}
