import { beforeEach, describe, expect, it } from 'vitest';
import { chat, outbox } from '../testing/samples';
import { FakeServer, settled } from '../testing/server';
import { Conversation } from './conversation.svelte';
import { Drafts } from './drafts';
import { OutgoingChats } from './outgoing.svelte';
import { Recording } from './recording.svelte';
import { Successors } from './successors';

beforeEach(() => localStorage.clear());

/** Chat 7, by LID, and chat 8 of the same person, as a page of a workspace has them. */
function page(drafts = new Drafts(null)) {
  const server = new FakeServer();
  server
    .on('GET /chats/7', () => chat({ id: '7', chat_jid: '900@lid' }))
    .on('GET /chats/8', () => chat({ id: '8', chat_jid: '60127654321@s.whatsapp.net' }));
  const outgoing = new OutgoingChats(server.live, drafts);
  outgoing.follow();
  new Successors(server.live, drafts, outgoing).follow();
  const become = () => server.frame('CHAT_GONE', { id: '7', became: '8', device_id: 'd1' });
  const texts = (id: string) => outgoing.of(id).sending.bubbles.map((one) => one.draft.text);
  return { server, drafts, outgoing, become, texts };
}

describe('a chat that becomes another', () => {
  it('takes along what was typed, behind what was typed there', () => {
    const { drafts, become } = page();
    drafts.put('7', 'by LID');
    drafts.put('8', 'by number');
    drafts.put('note-7', 'call her');
    become();
    expect([drafts.get('8'), drafts.get('note-8')]).toEqual(['by number\nby LID', 'call her']);
    expect([drafts.get('7'), drafts.get('note-7')]).toEqual(['', '']);
  });

  it('takes along what the server refused, and it can be sent from there', async () => {
    const { server, outgoing, become, texts } = page();
    let status = 409;
    server.on('POST /messages', () =>
      status === 409 ? Response.json({ title: 'Conflict' }, { status }) : outbox({ id: '9', text: 'Hi' }),
    );
    new Conversation('7', server.live, outgoing.of('7')).follow();
    await settled();
    outgoing.of('7').text('Hi', null, '2026-09-21T12:53:20Z');
    await settled();
    become();
    expect([texts('7'), texts('8')]).toEqual([[], ['Hi']]);
    expect(new OutgoingChats(server.live, new Drafts(null)).unsent).toEqual(['8']);
    status = 202;
    outgoing.of('8').open();
    outgoing.of('8').aim({ device_id: 'd1', to: '60127654321@s.whatsapp.net' });
    await outgoing.of('8').retry(outgoing.of('8').sending.bubbles[0]!);
    expect(outgoing.of('8').sending.bubbles[0]!.row?.id).toBe('9');
  });

  it('asks once more for what is on its way, as it was asked', async () => {
    const { server, outgoing, become, texts } = page();
    let answer = (): void => undefined;
    const bodies: unknown[] = [];
    server.on('POST /messages', async (body) => {
      bodies.push(body);
      await new Promise<void>((resolve) => (answer = resolve));
      return outbox({ id: '9', text: 'Hi' });
    });
    const conversation = new Conversation('7', server.live, outgoing.of('7'));
    conversation.follow();
    await settled();
    conversation.send('Hi', null);
    await settled();
    const first = answer;
    become();
    outgoing.of('8').open();
    await settled();
    first();
    answer();
    await settled();
    expect(bodies).toHaveLength(2);
    expect(bodies[1]).toEqual(bodies[0]);
    expect(texts('8')).toEqual(['Hi']);
    expect(outgoing.of('8').sending.bubbles[0]!.row?.id).toBe('9');
  });

  it('goes on recording', () => {
    const { outgoing, become } = page();
    const recording = new Recording();
    outgoing.of('7').recording = recording;
    become();
    expect([outgoing.of('7').recording, outgoing.of('8').recording]).toEqual([null, recording]);
    expect(outgoing.unsent).toEqual(['8']);
  });

  it('is found out too where it did while no page was open', async () => {
    const before = new Drafts(null);
    before.put('7', 'by LID');
    const server = new FakeServer().on('GET /chats/7', () => chat({ id: '8' }));
    const drafts = new Drafts(null);
    new Successors(server.live, drafts, new OutgoingChats(server.live, drafts)).follow();
    await settled();
    expect([drafts.get('7'), drafts.get('8')]).toEqual(['', 'by LID']);
  });

  it('is found out after a gap too', async () => {
    const { server, drafts } = page();
    drafts.put('7', 'by LID');
    server.on('GET /chats/7', () => chat({ id: '8' }));
    server.frame('RESYNC', { reason: 'too old' });
    await settled();
    expect([drafts.get('7'), drafts.get('8')]).toEqual(['', 'by LID']);
  });
});

describe('a chat that is no more', () => {
  it('leaves nothing behind in the browser, and one that cannot be asked for keeps all', async () => {
    const before = new Drafts(null);
    for (const name of ['7', 'note-7', 'edit-7-3EB01', '8']) before.put(name, 'x');
    const server = new FakeServer()
      .on('GET /chats/7', () => Response.json({ title: 'Not found' }, { status: 404 }))
      .on('GET /chats/8', () => Response.json({ title: 'Starting' }, { status: 503 }));
    const drafts = new Drafts(null);
    new Successors(server.live, drafts, new OutgoingChats(server.live, drafts)).follow();
    await settled();
    expect(drafts.chats()).toEqual(['8']);
    expect(Object.keys(localStorage).filter((key) => key.includes('7'))).toEqual([]);
  });
});
