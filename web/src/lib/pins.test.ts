import { expect, it } from 'vitest';
import type { Message } from '../api/types';
import { message } from '../testing/samples';
import { FakeServer, settled } from '../testing/server';
import { Pins } from './pins.svelte';

const YEAR = 31_536_000_000;

function pinned(id: string, change: Partial<Message> = {}): Message {
  return message({ id, is_pinned: true, ...change });
}

async function followed(items: Message[]): Promise<{ server: FakeServer; pins: Pins; items: Message[] }> {
  const server = new FakeServer().on('GET /chats/7/pinned', () => ({ items }));
  const pins = new Pins('7', server.live);
  pins.follow();
  await settled();
  return { server, pins, items };
}

const shown = (pins: Pins): string[] => pins.list.map((one) => one.message_text);

it('shows what is pinned as long as it is', async () => {
  const ended = new Date(Date.now() - 1000).toISOString();
  const lasts = new Date(Date.now() + YEAR).toISOString();
  const { pins } = await followed([
    pinned('1', { pinned_until: ended }),
    pinned('2', { pinned_until: lasts }),
    pinned('3'),
  ]);
  expect(pins.list.map((one) => one.id)).toEqual(['2', '3']);
});

it('asks again when a pin comes, goes or is made longer', async () => {
  const { server, pins, items } = await followed([]);
  items.unshift(pinned('1', { message_text: 'one' }));
  server.frame('MESSAGE_STATUS', items[0]!);
  await settled();
  expect(shown(pins)).toEqual(['one']);
  items.unshift(pinned('2', { message_text: 'two' }));
  server.frame('NEW_MESSAGE', items[0]!);
  await settled();
  expect(shown(pins)).toEqual(['two', 'one']);
  items.reverse();
  server.frame('MESSAGE_STATUS', { ...items[0]!, pinned_until: new Date(Date.now() + YEAR).toISOString() });
  await settled();
  expect(shown(pins)).toEqual(['one', 'two']);
  items.shift();
  server.frame('MESSAGE_STATUS', message({ id: '1' }));
  await settled();
  expect(shown(pins)).toEqual(['two']);
  items.shift();
  server.frame('MESSAGE_GONE', { id: '2', chat_id: '7', device_id: 'd1' });
  await settled();
  expect(shown(pins)).toEqual([]);
});

it('asks for nothing when a pinned message changes, or what is not pinned, or is of another chat', async () => {
  const { server, pins } = await followed([pinned('1')]);
  server.frame('MESSAGE_STATUS', pinned('1', { message_text: 'edited' }));
  server.frame('MESSAGE_STATUS', message({ id: '2' }));
  server.frame('NEW_MESSAGE', pinned('3', { chat_id: '8' }));
  server.frame('MESSAGE_GONE', { id: '2', chat_id: '7', device_id: 'd1' });
  await settled();
  expect(shown(pins)).toEqual(['edited']);
  expect(server.calls.length).toBe(1);
});
