import { expect, it } from 'vitest';
import { chat } from '../testing/samples';
import { FakeServer } from '../testing/server';
import { label } from './work';

it('puts labels on a chat one by one, so that quick clicks and colleagues undo nothing', async () => {
  const server = new FakeServer();
  const shown = chat({ id: '7', label_ids: ['3'] });
  await Promise.all([label(shown, '1', true), label(shown, '2', true), label(shown, '3', false)]);
  expect(server.calls.map((call) => call.route)).toEqual([
    'PUT /chats/7/labels/1',
    'PUT /chats/7/labels/2',
    'DELETE /chats/7/labels/3',
  ]);
});
