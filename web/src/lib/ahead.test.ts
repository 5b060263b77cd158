import { expect, it } from 'vitest';
import { chat, message } from '../testing/samples';
import { FakeServer, settled } from '../testing/server';
import { Ahead } from './ahead';
import { Conversation } from './conversation.svelte';

const ONE = message({ id: '7-1', message_text: 'one', timestamp: 1 });
const TWO = message({ id: '7-2', message_text: 'two', timestamp: 2 });
const PAGES = 'GET /chats/7/messages';

function asked(server: FakeServer): number {
  return server.calls.filter((call) => call.route === PAGES).length;
}

function pressed(): [FakeServer, Ahead] {
  const server = new FakeServer().on(PAGES, () => ({ items: [ONE], next: null }));
  const ahead = new Ahead(server.live);
  ahead.ask('7');
  ahead.ask('7');
  return [server, ahead];
}

function opened(server: FakeServer, ahead: Ahead, unread_count = 0): Conversation {
  const known = chat({ id: '7', unread_count });
  const page = ahead.take('7');
  const conversation = new Conversation('7', server.live, undefined, undefined, undefined, known, page);
  conversation.follow();
  return conversation;
}

it('asks once for the messages of a chat that is pressed, and opens it with what came since', async () => {
  const [server, ahead] = pressed();
  await settled();
  server.frame('NEW_MESSAGE', TWO);
  server.frame('MESSAGE_STATUS', { ...ONE, message_text: 'one, changed' });
  server.frame('NEW_MESSAGE', message({ id: '8-1', chat_id: '8' }));
  const conversation = opened(server, ahead, 1);
  await settled();
  expect(conversation.messages.map((one) => one.message_text)).toEqual(['one, changed', 'two']);
  expect(conversation.unread).toEqual({ before: '7-2', count: 1 });
  expect(asked(server)).toBe(1);
  server.frame('RESYNC', { reason: 'too old' });
  await settled();
  expect(asked(server)).toBe(2);
});

it('asks again where what it has is not the truth any more, or is of another chat', async () => {
  const [server, ahead] = pressed();
  server.frame('RESYNC', { reason: 'too old' });
  expect(ahead.take('7')).toBeNull();
  ahead.ask('7');
  server.frame('CHAT_GONE', { id: '8', became: '7', device_id: 'd1' });
  expect(ahead.take('7')).toBeNull();
  ahead.ask('7');
  expect(ahead.take('8')).toBeNull();
  server.on(PAGES, () => Response.json({ title: 'Too Many Requests' }, { status: 429 }));
  ahead.ask('7');
  await settled();
  expect(ahead.take('7')).toBeNull();
});

it('begins at the message it is opened at, though the newest were asked for', async () => {
  const [server, ahead] = pressed();
  server.on(PAGES, (_, url) => ({
    items: [url.searchParams.get('around') === '7-1' ? ONE : TWO],
    next: null,
    target: '7-1',
  }));
  const conversation = new Conversation(
    '7',
    server.live,
    undefined,
    undefined,
    undefined,
    chat({ id: '7' }),
    ahead.take('7'),
  );
  void conversation.show('7-1');
  conversation.follow();
  await settled();
  expect(conversation.sought).toEqual({ id: '7-1' });
  expect(asked(server)).toBe(2);
});

it('asks for what is on its way once the messages are here', async () => {
  let answer: (value: unknown) => void = () => undefined;
  const server = new FakeServer().on(PAGES, () => new Promise((resolve) => (answer = resolve)));
  const routes = (): string[] => server.calls.map((call) => call.route);
  opened(server, new Ahead(server.live));
  await settled();
  expect(routes()).toEqual([PAGES]);
  answer({ items: [ONE], next: null });
  await settled();
  expect(routes()).toEqual([PAGES, 'GET /chats/7/outbox']);
});
