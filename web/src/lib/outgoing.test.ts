import { describe, expect, it, vi } from 'vitest';
import { chat, outbox } from '../testing/samples';
import { FakeServer, settled } from '../testing/server';
import { Conversation } from './conversation.svelte';
import { OutgoingChats } from './outgoing.svelte';

interface Post {
  text: string;
  to: string;
}

/** A chat that is open, and a network that may be away. */
function opened() {
  const network = { away: false };
  const posted: string[] = [];
  const server = new FakeServer();
  const keys = new Set<string>();
  server
    .on('GET /chats/7', () => (network.away ? Response.error() : chat({ id: '7' })))
    .on('POST /messages', (body) => {
      posted.push((body as Post).text);
      return outbox({ id: String(posted.length), text: (body as Post).text });
    });
  const answer = globalThis.fetch;
  vi.stubGlobal('fetch', (request: Request) => {
    if (request.method === 'POST') keys.add(String(request.headers.get('Idempotency-Key')));
    return network.away ? Promise.reject(new TypeError('Failed to fetch')) : answer(request);
  });
  const chats = new OutgoingChats(server.live);
  chats.follow();
  const conversation = new Conversation('d1', '7', server.live, chats.of('7'));
  return { network, posted, keys, server, chats, conversation, leave: conversation.follow() };
}

describe('what leaves', () => {
  it('goes by itself once there is a connection, in its order and under the same keys', async () => {
    const { network, posted, keys, server, conversation } = opened();
    await settled();
    network.away = true;
    conversation.send('one', null);
    conversation.send('two', null);
    await settled();
    expect(conversation.outgoing.sending.bubbles.map((one) => [one.lost, one.refused])).toEqual([
      [true, null],
      [true, null],
    ]);
    network.away = false;
    server.connect();
    conversation.send('three', null);
    await settled();
    expect(posted).toEqual(['one', 'two', 'three']);
    expect(keys.size).toBe(3);
    expect(conversation.outgoing.sending.bubbles.map((one) => one.row?.text)).toEqual(['one', 'two', 'three']);
  });

  it('is not lost with the conversation it was written in', async () => {
    const { network, posted, server, chats, conversation, leave } = opened();
    await settled();
    network.away = true;
    conversation.send('left behind', null);
    await settled();
    leave();
    expect(chats.of('7').isUnsent).toBe(true);
    network.away = false;
    server.connect();
    await settled();
    expect(posted).toEqual(['left behind']);
    expect(chats.of('7').sending.bubbles).toEqual([]);
  });

  it('waits where the chat could not be fetched, which is tried again with the connection', async () => {
    const { network, posted, server, conversation } = opened();
    network.away = true;
    await settled();
    expect(conversation.state).toBe('failed');
    conversation.send('to whom?', null);
    await settled();
    expect(posted).toEqual([]);
    network.away = false;
    server.connect();
    await settled();
    expect(conversation.state).toBe('ready');
    expect(posted).toEqual(['to whom?']);
  });

  it('keeps the page from being closed over what is unsent', async () => {
    const { network, conversation, server } = opened();
    await settled();
    const closing = (): boolean => !dispatchEvent(new Event('beforeunload', { cancelable: true }));
    expect(closing()).toBe(false);
    network.away = true;
    conversation.send('not yet', null);
    await settled();
    expect(closing()).toBe(true);
    network.away = false;
    server.connect();
    await settled();
    expect(closing()).toBe(false);
  });
});
