import { expect, it } from 'vitest';
import { message, outbox } from '../testing/samples';
import { FakeServer } from '../testing/server';
import { MessageActions } from './message_actions.svelte';

it('keeps the text of a change that the network did not carry, or WhatsApp did not take, and says which are too late', async () => {
  const kept: [string, string, boolean][] = [];
  const actions = new MessageActions((id, text, isOver) => kept.push([id, text, isOver]));
  new FakeServer()
    .on('POST /messages/1/edit', () => Response.json({ detail: 'Too late.' }, { status: 409 }))
    .on('POST /messages/2/edit', () => Response.json({ detail: 'Starting.' }, { status: 503 }));
  for (const id of ['1', '2']) await actions.edit(message({ id, message_id: `A${id}`, message_text: 'Hi' }), 'Hello');
  for (const [id, state] of [
    ['3', 'expired'],
    ['4', 'failed'],
  ] as const) {
    const row = outbox({ id, type: 'edit', target_message_id: `A${id}`, text: 'Bye', state: 'queued' });
    actions.take(row);
    actions.take({ ...row, state });
  }
  expect(kept).toEqual([
    ['A1', 'Hello', true],
    ['A2', 'Hello', false],
    ['A3', 'Bye', true],
    ['A4', 'Bye', false],
  ]);
});
