/** Shared work on a chat: every change comes back to all who see the chat as a frame, to this page too. */
import { api, data } from '../api/client';
import type { Chat, Colleague, Facts, Viewer } from '../api/types';
import { account } from './account.svelte';

interface Change {
  assignee_id?: string | null;
  is_open?: boolean;
}

export async function changeChat(chat: Chat, change: Change): Promise<void> {
  await data(api.PATCH('/api/v1/chats/{chat_id}', { params: { path: { chat_id: chat.id } }, body: change }));
}

/** Puts a label on a chat, or takes it away; the others are left as they are, whoever changes them meanwhile. */
export async function label(chat: Chat, label_id: string, on: boolean): Promise<void> {
  const params = { path: { chat_id: chat.id, label_id } };
  const address = '/api/v1/chats/{chat_id}/labels/{label_id}';
  await data(on ? api.PUT(address, { params }) : api.DELETE(address, { params }));
}

/** Who can answer chats of a device, by name. */
export function colleagues(device: string): Promise<Colleague[]> {
  return data(api.GET('/api/v1/colleagues', { params: { query: { device_id: device } } }));
}

export function factsOf(chat: string): Promise<Facts> {
  return data(api.GET('/api/v1/chats/{chat_id}/facts', { params: { path: { chat_id: chat } } }));
}

/** Who else of the team has the chat open. */
export function others(chat: Chat | null): Viewer[] {
  return chat?.viewers.filter((viewer) => viewer.user_id !== account.session?.user.id) ?? [];
}
