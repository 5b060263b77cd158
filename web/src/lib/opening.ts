/** The chat a line has with somebody, to write to who has not written before. */
import { api, data } from '../api/client';
import type { Chat } from '../api/types';

/** @param to a number as people write it, or a JID */
export function openChat(device: string, to: string): Promise<Chat> {
  const params = { path: { device_id: device } };
  return data(api.POST('/api/v1/devices/{device_id}/chats', { params, body: { to } }));
}
