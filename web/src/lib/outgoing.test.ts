import { beforeEach, describe, expect, it, vi } from 'vitest';
import { chat, outbox } from '../testing/samples';
import { FakeServer, settled } from '../testing/server';
import { FakeUploads } from '../testing/uploads';
import { Attachment } from './attachment.svelte';
import { Conversation } from './conversation.svelte';
import { Drafts } from './drafts';
import { OutgoingChats } from './outgoing.svelte';

interface Post {
  text: string;
  to: string;
}

beforeEach(() => localStorage.clear());

/** A chat that is open, and a network that may be away. */
function opened() {
  const network = { away: false, status: 202, first: [] as number[], answer: {} };
  const told: unknown[] = [];
  const posted: string[] = [];
  const server = new FakeServer();
  const keys = new Set<string>();
  server
    .on('GET /chats/7', () => (network.away ? Response.error() : chat({ id: '7' })))
    .on('POST /messages', (body) => {
      const status = network.first.shift() ?? network.status;
      told.push(body);
      if (status > 299) return Response.json({ title: 'No', ...network.answer }, { status });
      posted.push((body as Post).text);
      return outbox({ id: String(posted.length), text: (body as Post).text });
    });
  const answer = globalThis.fetch;
  vi.stubGlobal('fetch', (request: Request) => {
    if (request.method === 'POST') keys.add(String(request.headers.get('Idempotency-Key')));
    return network.away ? Promise.reject(new TypeError('Failed to fetch')) : answer(request);
  });
  const chats = new OutgoingChats(server.live, new Drafts(null));
  chats.follow();
  const conversation = new Conversation('7', server.live, chats.of('7'));
  return { network, told, posted, keys, server, chats, conversation, leave: conversation.follow() };
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

  it.each([502, 503, 504])(
    'goes again under the same key where nobody knows whether it arrived: %i',
    async (status) => {
      const { network, posted, keys, server, conversation } = opened();
      await settled();
      network.status = status;
      conversation.send('once', null);
      await settled();
      expect(conversation.outgoing.sending.bubbles[0]).toMatchObject({ lost: true, refused: null });
      network.status = 202;
      server.connect();
      await settled();
      expect([posted, keys.size]).toEqual([['once'], 1]);
    },
  );

  it.each([
    { status: 409, answer: { retry_after: 0 }, isAskedAgain: true },
    { status: 503, answer: { type: 'urn:wafast:problem:database-away' }, isAskedAgain: true },
    { status: 507, answer: { type: 'urn:wafast:problem:disk-full' }, isAskedAgain: false },
  ])(
    'waits for what passes by itself, and for a person where there is no room: %o',
    async ({ status, answer, isAskedAgain }) => {
      const { network, posted, server, conversation } = opened();
      await settled();
      network.status = status;
      network.answer = answer;
      conversation.send('once', null);
      await settled();
      network.status = 202;
      server.connect();
      await settled();
      expect(posted).toEqual(isAskedAgain ? ['once'] : []);
      expect(conversation.outgoing.sending.bubbles[0]?.refused !== null).toBe(!isAskedAgain);
      conversation.outgoing.drop();
    },
  );

  it('says the same again under the same key, though the chat goes elsewhere meanwhile', async () => {
    const { network, told, server, conversation } = opened();
    await settled();
    network.first = [504];
    conversation.send('once', null);
    await settled();
    conversation.outgoing.aim({ device_id: 'another', to: 'another@s.whatsapp.net' });
    server.connect();
    await settled();
    expect(told).toHaveLength(2);
    expect(told[1]).toEqual(told[0]);
  });

  it('keeps its order where only the first of them did not arrive', async () => {
    const { network, posted, server, conversation } = opened();
    await settled();
    network.first = [503];
    conversation.send('one', null);
    conversation.send('two', null);
    await settled();
    expect(posted).toEqual([]);
    server.connect();
    await settled();
    expect(posted).toEqual(['one', 'two']);
  });

  it('goes again under the same key after a refusal, which the server forgets', async () => {
    const { network, posted, keys, conversation } = opened();
    await settled();
    network.status = 409;
    conversation.send('once', null);
    await settled();
    network.status = 202;
    await conversation.outgoing.retry(conversation.outgoing.sending.bubbles[0]!);
    expect([posted, keys.size]).toEqual([['once'], 1]);
  });

  it('waits for no film, and says of a file whether it waits for its turn', async () => {
    const uploads = new FakeUploads();
    const { posted, chats } = opened();
    await settled();
    const outgoing = chats.of('7');
    const film = Object.defineProperty(new File(['film'], 'film.bin'), 'size', { value: 90 * 1024 * 1024 });
    const [long, next, note] = [film, film, new File(['hello'], 'note.txt')].map((file) => new Attachment(file));
    long!.caption = 'the film';
    note!.caption = 'the note';
    for (const one of [long!, next!, note!]) outgoing.file(one, null, '2026-01-01T00:00:00Z');
    await settled();
    expect([long!.share, next!.share, note!.share]).toEqual([0, null, 0]);
    uploads.at(1).answer({ media_id: '2' });
    await settled();
    expect(posted).toEqual(['the note']);
    uploads.at(0).answer({ media_id: '1' });
    await settled();
    expect([posted, next!.share]).toEqual([['the note', 'the film'], 0]);
    outgoing.drop();
  });

  it('may be files that were chosen: they stay with their chat, and go over to the one it becomes', async () => {
    const { chats } = opened();
    const chosen = new Attachment(new File(['numbers'], 'report.txt'));
    chosen.caption = 'for you';
    chats.of('7').files = [chosen];
    expect(chats.unsent).toEqual(['7']);
    chats.move('7', '8');
    expect(chats.of('8').files).toEqual([chosen]);
    expect([chats.of('7').files, chats.unsent]).toEqual([[], ['8']]);
    chats.of('8').drop();
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

describe('words that outlive their page', () => {
  /** A page that is ended without a network: the keys it posted under. */
  async function ended(...words: string[]): Promise<Set<string>> {
    const { network, keys, conversation, chats } = opened();
    await settled();
    network.away = true;
    for (const one of words) conversation.send(one, null);
    await settled();
    chats.of('7').drop();
    return keys;
  }

  /** The next page, on which no chat is opened. */
  function next() {
    const server = new FakeServer().on('GET /chats/7', () => chat({ id: '7' }));
    const posted: [words: string, key: string | null][] = [];
    const answer = globalThis.fetch;
    vi.stubGlobal('fetch', async (request: Request) => {
      if (request.method === 'POST')
        posted.push([((await request.clone().json()) as Post).text, request.headers.get('Idempotency-Key')]);
      return answer(request);
    });
    server.on('POST /messages', (body) => outbox({ id: String(posted.length), text: (body as Post).text }));
    const chats = new OutgoingChats(server.live, new Drafts(null));
    chats.follow();
    return { server, posted, outgoing: chats.of('7') };
  }

  it('are sent by the next, in their order and under the same keys, and then forgotten', async () => {
    const keys = await ended('one', 'two');
    const { server, posted } = next();
    server.connect();
    await settled();
    expect(posted.map(([words]) => words)).toEqual(['one', 'two']);
    // the second waited for the first, so only that one was tried before
    expect([...keys]).toEqual([posted[0]![1]]);
    expect(localStorage).toHaveLength(0);
  });

  it('wait for a person once the server may have forgotten the key', async () => {
    await ended('one');
    vi.setSystemTime(Date.now() + 24 * 3_600_000);
    const { server, posted, outgoing } = next();
    server.connect();
    await settled();
    vi.useRealTimers();
    expect(posted).toEqual([]);
    expect(outgoing.sending.bubbles[0]!.refused).toContain('not sent for a day');
    await outgoing.retry(outgoing.sending.bubbles[0]!);
    expect(posted).toHaveLength(1);
  });

  it('go when another page of this browser sent them, or took them off', async () => {
    await ended('one');
    const { server, posted, outgoing } = next();
    const [key] = Object.keys(localStorage);
    dispatchEvent(new StorageEvent('storage', { key: key!, oldValue: localStorage.getItem(key!), newValue: null }));
    server.connect();
    await settled();
    expect([outgoing.sending.bubbles, posted]).toEqual([[], []]);
  });
});
