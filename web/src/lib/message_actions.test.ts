import { expect, it } from 'vitest';
import { message, outbox } from '../testing/samples';
import { FakeServer } from '../testing/server';
import { MessageActions } from './message_actions.svelte';

it('keeps the text of a change that the network did not carry, or WhatsApp did not take', async () => {
  const kept: string[][] = [];
  const actions = new MessageActions((id, text) => kept.push([id, text]));
  new FakeServer().on('POST /messages/1/edit', () => Response.json({ detail: 'Too late.' }, { status: 409 }));
  await actions.edit(message({ id: '1', message_id: 'A1', message_text: 'Hi' }), 'Hello');
  const row = outbox({ id: '4', type: 'edit', target_message_id: 'A2', text: 'Bye', state: 'queued' });
  actions.take(row);
  actions.take({ ...row, state: 'expired' });
  expect(kept).toEqual([
    ['A1', 'Hello'],
    ['A2', 'Bye'],
  ]);
});
