import { describe, expect, it } from 'vitest';
import { chat, message } from '../testing/samples';
import { notices } from './notifications.svelte';

const waiting = (...ids: string[]) =>
  new Map(ids.map((id) => [id, { message: message({ id: `${id}-1`, chat_id: id }), count: 2 }]));

describe('notices', () => {
  it('names the chat, and who wrote in a group', () => {
    const chats = new Map([
      ['7', chat({ id: '7', chat_name: 'Aisyah' })],
      ['8', chat({ id: '8', chat_name: 'Family', is_group: true })],
    ]);
    expect(notices(waiting('7', '8'), chats).map(({ title, body, address }) => [title, body, address])).toEqual([
      ['Aisyah', 'Hello', '/device/d1/whatsapp-web/7'],
      ['Family', 'Farid: Hello', '/device/d1/whatsapp-web/8'],
    ]);
  });

  it('is silent about muted chats', () => {
    expect(notices(waiting('7'), new Map([['7', chat({ id: '7', muted: true })]]))).toEqual([]);
  });

  it('makes one of many', () => {
    const [one, ...more] = notices(waiting('1', '2', '3', '4'), new Map());
    expect([one?.body, more]).toEqual(['8 new messages', []]);
  });
});
