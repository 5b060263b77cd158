import { describe, expect, it, vi } from 'vitest';
import { FakeServer, settled } from '../testing/server';
import { chat, message, outbox } from '../testing/samples';
import { Conversation } from './conversation.svelte';

const texts = (conversation: Conversation): string[] => conversation.messages.map((one) => one.message_text);

async function opened(
  server: FakeServer,
  items = [message({ id: '7-1', message_text: 'one', timestamp: 1 })],
): Promise<Conversation> {
  server.on('GET /chats/7', () => chat({ id: '7' })).on('GET /chats/7/messages', () => ({ items, next: null }));
  const conversation = new Conversation('7', server.live);
  conversation.follow();
  await settled();
  return conversation;
}

describe('Conversation', () => {
  it('takes every message once, in order, also when frames repeat or come late', async () => {
    const server = new FakeServer();
    const conversation = await opened(server);
    const [two, three] = [2, 3].map((n) => message({ id: `7-${n}`, message_text: `m${n}`, timestamp: n }));
    for (const one of [three!, two!, three!]) server.frame('NEW_MESSAGE', one);
    server.frame('NEW_MESSAGE', message({ id: '8-1', chat_id: '8', message_text: 'elsewhere' }));
    expect(texts(conversation)).toEqual(['one', 'm2', 'm3']);
  });

  it('tells of each message of one second, in whatever order they stand', async () => {
    const server = new FakeServer();
    const conversation = await opened(server);
    const told = [3, 2, 1].map((n) => {
      server.frame('NEW_MESSAGE', message({ id: `8-${n}`, timestamp: 8 }));
      return conversation.arrived;
    });
    expect(told).toEqual([{ received: 1 }, { received: 1 }, { received: 1 }]);
    expect(new Set(told).size).toBe(3);
    server.frame('NEW_MESSAGE', message({ id: '7-9', timestamp: 7 }));
    expect(conversation.arrived).toBe(told[2]);
  });

  it('follows edits, deletions and ticks', async () => {
    const server = new FakeServer();
    const mine = message({ id: '7-1', from_me: true, status: 'sent' });
    const conversation = await opened(server, [mine]);
    server.frame('MESSAGE_STATUS', { ...mine, status: 'read' });
    server.frame('MESSAGE_STATUS', { ...mine, status: 'delivered' });
    expect(conversation.messages[0]!.status).toBe('read');
    server.frame('MESSAGE_STATUS', {
      ...mine,
      message_type: 'deleted',
      message_text: '',
      deleted_at: '2026-09-21T13:00:00Z',
    });
    expect(conversation.messages[0]!.message_type).toBe('deleted');
  });

  it('catches up after a gap', async () => {
    const server = new FakeServer();
    const items = [message({ id: '7-1', message_text: 'one', timestamp: 1 })];
    const conversation = await opened(server, items);
    items.unshift(message({ id: '7-2', message_text: 'missed', timestamp: 2 }));
    server.frame('RESYNC', { reason: 'too old' });
    await settled();
    expect(texts(conversation)).toEqual(['one', 'missed']);
  });

  it('takes in a chat that became part of it, and lets go of what was no message', async () => {
    const server = new FakeServer();
    const items = [message({ id: '7-1', message_text: 'one', timestamp: 1 })];
    const conversation = await opened(server, items);
    items.push(message({ id: '7-0', message_text: 'by LID', timestamp: 0 }));
    server.frame('CHAT_GONE', { id: '8', became: '9', device_id: 'd1' });
    await settled();
    expect(texts(conversation)).toEqual(['one']);
    server.frame('CHAT_GONE', { id: '8', became: '7', device_id: 'd1' });
    await settled();
    expect(texts(conversation)).toEqual(['by LID', 'one']);
    server.frame('MESSAGE_GONE', { id: '7-1', chat_id: '7', device_id: 'd1' });
    expect(texts(conversation)).toEqual(['by LID']);
  });

  it('writes to the number as soon as it is known', async () => {
    const server = new FakeServer().on('POST /messages', () => outbox({ id: '9', text: 'Hi' }));
    const conversation = await opened(server);
    server.frame('CHAT_UPDATE', chat({ id: '7', chat_jid: '60127654321@s.whatsapp.net' }));
    conversation.send('Hi', null);
    await settled();
    expect(server.calls.find((call) => call.route === 'POST /messages')?.body).toMatchObject({
      to: '60127654321@s.whatsapp.net',
    });
  });

  it('leaves by the line that took over the chat', async () => {
    const server = new FakeServer().on('POST /messages', () => outbox({ id: '9', text: 'Hi' }));
    const conversation = await opened(server);
    server.on('GET /chats/7', () => chat({ id: '7', device_id: 'd2' }));
    server.frame('RESYNC', { reason: 'a line was replaced' });
    await settled();
    conversation.send('Hi', null);
    await settled();
    expect(server.calls.find((call) => call.route === 'POST /messages')?.body).toMatchObject({ device_id: 'd2' });
  });

  it('tells when the chat is no more', async () => {
    const server = new FakeServer();
    const conversation = await opened(server);
    expect(conversation.gone).toBe(false);
    server.on('GET /chats/7', () => Response.json({ title: 'Not Found' }, { status: 404 }));
    server.frame('RESYNC', { reason: 'too old' });
    await settled();
    expect(conversation.gone).toBe(true);
  });

  it('shows a bubble at once and the message in its place', async () => {
    const server = new FakeServer().on('POST /messages', () => outbox({ id: '9', text: 'Hi' }));
    const conversation = await opened(server);
    conversation.send('Hi', null);
    expect(conversation.outgoing.sending.bubbles.map((one) => one.draft.text)).toEqual(['Hi']);
    await settled();
    expect(server.calls.find((call) => call.route === 'POST /messages')?.body).toMatchObject({
      device_id: 'd1',
      type: 'text',
      text: 'Hi',
      priority: 'reply',
    });
    server.frame('MESSAGE_STATUS', outbox({ id: '9', text: 'Hi', state: 'sending' }));
    server.frame(
      'NEW_MESSAGE',
      message({ id: '7-9', from_me: true, message_text: 'Hi', outbox_id: '9', timestamp: 9 }),
    );
    expect(conversation.outgoing.sending.bubbles).toEqual([]);
    expect(texts(conversation)).toEqual(['one', 'Hi']);
  });

  it('keeps a refused bubble with its reason, and sends it when asked again', async () => {
    let status = 409;
    const server = new FakeServer().on('POST /messages', () =>
      status === 409
        ? Response.json({ title: 'Conflict', detail: 'This device was never paired.' }, { status })
        : outbox({ id: '9', text: 'Hi' }),
    );
    const conversation = await opened(server);
    conversation.send('Hi', null);
    await settled();
    expect(conversation.outgoing.sending.bubbles[0]!.refused).toBe('This device was never paired.');
    status = 202;
    await conversation.outgoing.retry(conversation.outgoing.sending.bubbles[0]!);
    expect(conversation.outgoing.sending.bubbles[0]!.row?.id).toBe('9');
  });

  it('is not gone for good where nobody can say', async () => {
    const server = new FakeServer();
    const gone = (): Response => Response.json({ title: 'Gone' }, { status: 404 });
    const answers = [gone, () => Response.json({ title: 'Away' }, { status: 503 })];
    server.on('GET /chats/7', () => answers.shift()!()).on('GET /chats/7/messages', gone);
    const conversation = new Conversation('7', server.live);
    const end = conversation.follow();
    await settled();
    expect([conversation.gone, conversation.state]).toEqual([false, 'failed']);
    end();
  });

  it('is told which chat it became part of', async () => {
    const server = new FakeServer();
    const conversation = await opened(server);
    server.frame('CHAT_GONE', { id: '7', became: '8', device_id: 'd1' });
    expect(conversation.became).toBe('8');
  });

  it('knows which chat it became part of', async () => {
    const server = new FakeServer();
    const conversation = await opened(server);
    server
      .on('GET /chats/7', () => chat({ id: '8' }))
      .on('GET /chats/7/messages', () => Response.json({ title: 'Not found' }, { status: 404 }));
    await conversation.load();
    expect([conversation.became, conversation.gone]).toEqual(['8', false]);
  });

  it('lets a bubble go that was taken off in another window', async () => {
    const failed = outbox({ id: '4', state: 'failed' });
    const server = new FakeServer().on('GET /chats/7/outbox', () => ({ items: [failed], next: null }));
    const conversation = await opened(server);
    expect(conversation.outgoing.sending.bubbles).toHaveLength(1);
    server.frame('MESSAGE_STATUS', { ...failed, state: 'cancelled', cause: 'by_person' });
    expect(conversation.outgoing.sending.bubbles).toEqual([]);
  });

  it('is told by a person what became of what nobody could say about', async () => {
    const unknown = outbox({ id: '4', state: 'unknown' });
    const server = new FakeServer().on('GET /chats/7/outbox', () => ({ items: [unknown], next: null }));
    const said: unknown[] = [];
    server.on('POST /outbox/4/resolve', (body) => {
      said.push(body);
      return { ...unknown, state: 'failed', cause: 'not_arrived' };
    });
    const conversation = await opened(server);
    await conversation.outgoing.resolve(conversation.outgoing.sending.bubbles[0]!, false);
    expect(said).toEqual([{ arrived: false }]);
    expect(conversation.outgoing.sending.bubbles[0]!.row?.state).toBe('failed');
    const arrived = { id: '7-9', from_me: true, outbox_id: '4', message_id: 'wafast-4' };
    server.frame('NEW_MESSAGE', message(arrived));
    expect(conversation.outgoing.sending.bubbles).toEqual([]);
  });

  it('opens with what is still on its way, and where unread messages begin', async () => {
    const server = new FakeServer().on('GET /chats/7/outbox', () => ({
      items: [outbox({ id: '4', state: 'unknown' })],
      next: null,
    }));
    server
      .on('GET /chats/7', () => chat({ id: '7', unread_count: 2 }))
      .on('GET /chats/7/messages', () => ({
        items: [3, 2, 1].map((n) => message({ id: `7-${n}`, timestamp: n })),
        next: null,
      }));
    const conversation = new Conversation('7', server.live);
    conversation.follow();
    await settled();
    expect(conversation.outgoing.sending.bubbles.map((one) => one.row?.id)).toEqual(['4']);
    expect(conversation.unread).toEqual({ before: '7-2', count: 2 });
  });

  it('reaches back to the first unread message when a page does not', async () => {
    const server = new FakeServer();
    server
      .on('GET /chats/7', () => chat({ id: '7', unread_count: 2 }))
      .on('GET /chats/7/messages', (_, url) =>
        url.searchParams.get('after') === 'p2'
          ? { items: [message({ id: '7-1', timestamp: 1 })], next: null }
          : { items: [message({ id: '7-2', timestamp: 2 })], next: 'p2' },
      );
    const conversation = new Conversation('7', server.live);
    conversation.follow();
    await settled();
    expect(conversation.unread).toEqual({ before: '7-1', count: 2 });
  });

  it('fetches older messages in front and stops at the first', async () => {
    const server = new FakeServer();
    server
      .on('GET /chats/7', () => chat({ id: '7' }))
      .on('GET /chats/7/messages', (_, url) =>
        url.searchParams.get('after') === 'p2'
          ? { items: [message({ id: '7-1', timestamp: 1 })], next: null }
          : { items: [message({ id: '7-2', timestamp: 2 })], next: 'p2' },
      );
    const conversation = new Conversation('7', server.live);
    conversation.follow();
    await settled();
    await conversation.older();
    expect(conversation.messages.map((one) => one.id)).toEqual(['7-1', '7-2']);
    expect(conversation.hasOlder).toBe(false);
  });

  it('asks for no chat that the list has, and shows it before its messages are here', async () => {
    let answer: (page: unknown) => void = () => undefined;
    const server = new FakeServer()
      .on('GET /chats/7', () => chat({ id: '7', chat_name: 'Fetched' }))
      .on('GET /chats/7/messages', () => new Promise((resolve) => (answer = resolve)));
    const known = chat({ id: '7', chat_name: 'Known', unread_count: 1 });
    const conversation = new Conversation('7', server.live, undefined, undefined, undefined, known);
    const end = conversation.follow();
    expect([conversation.state, conversation.chat?.chat_name]).toEqual(['loading', 'Known']);
    await settled();
    server.frame('CHAT_UPDATE', { ...known, chat_name: 'Renamed' });
    answer({ items: [message({ id: '7-1' })], next: null });
    await settled();
    expect([conversation.chat?.chat_name, conversation.unread?.count]).toEqual(['Renamed', 1]);
    server.frame('RESYNC', { reason: 'too old' });
    await settled();
    answer({ items: [message({ id: '7-1' })], next: null });
    await settled();
    expect(conversation.chat?.chat_name).toBe('Fetched');
    end();
  });

  it('says where older messages could not be fetched, and fetches them when the line is back', async () => {
    let isDown = true;
    const server = new FakeServer();
    server
      .on('GET /chats/7', () => chat({ id: '7' }))
      .on('GET /chats/7/messages', (_, url) => {
        if (!url.searchParams.has('after')) return { items: [message({ id: '7-2', timestamp: 2 })], next: 'p2' };
        if (isDown) throw new TypeError('no network');
        return { items: [message({ id: '7-1', timestamp: 1 })], next: null };
      });
    const conversation = new Conversation('7', server.live);
    const end = conversation.follow();
    await settled();
    await conversation.older();
    expect([Boolean(conversation.olderProblem), conversation.hasOlder]).toEqual([true, true]);
    isDown = false;
    server.connect();
    await settled();
    expect([conversation.olderProblem, conversation.messages.length]).toEqual([null, 2]);
    end();
  });

  it('keeps what a frame said of older messages while they were fetched', async () => {
    const server = new FakeServer();
    const mine = message({ id: '7-1', from_me: true, status: 'sent', timestamp: 1 });
    server
      .on('GET /chats/7', () => chat({ id: '7' }))
      .on('GET /chats/7/messages', (_, url) => {
        if (!url.searchParams.has('after')) return { items: [message({ id: '7-2', timestamp: 2 })], next: 'p2' };
        server.frame('MESSAGE_STATUS', { ...mine, status: 'read' });
        return { items: [mine], next: null };
      });
    const conversation = new Conversation('7', server.live);
    conversation.follow();
    await settled();
    await conversation.older();
    expect(conversation.messages[0]?.status).toBe('read');
  });

  it('marks again what came while it was marked, but not what could not be', async () => {
    const server = new FakeServer();
    const conversation = await opened(server);
    const unread = () => server.frame('CHAT_UPDATE', chat({ id: '7', unread_count: 1 }));
    unread();
    server.on('POST /chats/7/read', () => new Response(null, { status: 503 }));
    await conversation.markRead();
    expect(conversation.marked).toBe(0);
    server.on('POST /chats/7/read', () => (unread(), chat({ id: '7', unread_count: 0 })));
    await conversation.markRead();
    expect([conversation.chat?.unread_count, conversation.marked]).toEqual([1, 1]);
    server.on('POST /chats/7/read', () => chat({ id: '7', unread_count: 0 }));
    await conversation.markRead();
    expect(conversation.marked).toBe(1);
  });

  it('counts what is new from what was seen last', async () => {
    const server = new FakeServer();
    const conversation = await opened(server);
    const comes = (number: number): void => {
      server.frame('NEW_MESSAGE', message({ id: `7-${number}`, timestamp: number }));
      conversation.missed(1);
    };
    comes(101);
    comes(102);
    expect(conversation.unread).toEqual({ before: '7-101', count: 2 });
    server.frame('CHAT_UPDATE', chat({ id: '7', unread_count: 2 }));
    server.on('POST /chats/7/read', () => chat({ id: '7', unread_count: 0 }));
    await conversation.markRead();
    comes(103);
    comes(104);
    expect(conversation.unread).toEqual({ before: '7-103', count: 2 });
  });

  it('keeps what a frame said while the answer to reading was under way', async () => {
    const server = new FakeServer();
    const conversation = await opened(server);
    server.frame('CHAT_UPDATE', chat({ id: '7', unread_count: 1 }));
    server.on('POST /chats/7/read', () => {
      server.frame('CHAT_UPDATE', chat({ id: '7', unread_count: 0, typing: 'Siti' }));
      return chat({ id: '7', unread_count: 0 });
    });
    await conversation.markRead();
    expect(conversation.chat?.typing).toBe('Siti');
  });

  describe('read from the middle', () => {
    const numbered = (...numbers: number[]) => numbers.map((n) => message({ id: `7-${n}`, timestamp: n }));

    /** Messages 1 to 9; pages of two. */
    function long(server: FakeServer): void {
      server
        .on('GET /chats/7', () => chat({ id: '7' }))
        .on('GET /chats/7/messages', (_, url) => {
          const { around, before } = Object.fromEntries(url.searchParams);
          if (around === 'gone') return Response.json({ title: 'Not found' }, { status: 404 });
          if (around) return { items: numbered(5, 4), next: 'older', previous: 'from5', target: '7-4' };
          if (before === 'from5') return { items: numbered(7, 6), next: 'older', previous: 'from7', target: null };
          if (before === 'from7') return { items: numbered(9, 8), next: 'older', previous: null, target: null };
          return { items: numbered(9, 8), next: 'older', previous: null, target: null };
        });
    }

    async function follow(server: FakeServer, start?: string): Promise<Conversation> {
      const conversation = new Conversation('7', server.live);
      if (start) await conversation.show(start);
      conversation.follow();
      await settled();
      return conversation;
    }

    async function jumped(server: FakeServer): Promise<Conversation> {
      long(server);
      const conversation = await follow(server);
      await conversation.show('WA7-4');
      return conversation;
    }

    const ids = (conversation: Conversation): string[] => conversation.messages.map((one) => one.id);

    it('goes to a message that is not loaded, and on from there to the newest', async () => {
      const conversation = await jumped(new FakeServer());
      expect(ids(conversation)).toEqual(['7-4', '7-5']);
      expect([conversation.sought?.id, conversation.hasNewer]).toEqual(['7-4', true]);
      await conversation.newer();
      await conversation.newer();
      expect(ids(conversation)).toEqual(['7-4', '7-5', '7-6', '7-7', '7-8', '7-9']);
      expect(conversation.hasNewer).toBe(false);
    });

    it('counts what arrives beyond, without a hole in what is shown', async () => {
      const server = new FakeServer();
      const conversation = await jumped(server);
      server.frame('NEW_MESSAGE', message({ id: '7-10', timestamp: 10 }));
      expect(ids(conversation)).toEqual(['7-4', '7-5']);
      expect(conversation.arrived).toEqual({ received: 1 });
      await conversation.newest();
      expect(ids(conversation)).toEqual(['7-8', '7-9']);
      expect(conversation.hasNewer).toBe(false);
    });

    it('goes to the newest and elsewhere though one scrolls while that is fetched', async () => {
      const conversation = await jumped(new FakeServer());
      const there = conversation.newest();
      await conversation.newer();
      await there;
      expect(ids(conversation)).toEqual(['7-8', '7-9']);
      const back = conversation.show('WA7-4');
      await conversation.newer();
      await back;
      expect(ids(conversation)).toEqual(['7-4', '7-5']);
    });

    it('tells once of what arrives beyond while one goes elsewhere', async () => {
      const server = new FakeServer();
      const told: string[] = [];
      long(server);
      const conversation = new Conversation('7', server.live, undefined, (one) => told.push(one.id));
      conversation.follow();
      await settled();
      const going = conversation.show('WA7-4');
      server.frame('NEW_MESSAGE', message({ id: '7-10', timestamp: 10 }));
      await going;
      expect([ids(conversation), told]).toEqual([['7-4', '7-5'], ['7-10']]);
    });

    /** A server whose answers to jumps are given by `answer`. */
    async function held(server: FakeServer) {
      const waiting = new Map<string, (page: unknown) => void>();
      long(server);
      const conversation = await follow(server);
      server.on('GET /chats/7/messages', (_, url) => {
        return new Promise((resolve) => waiting.set(url.searchParams.get('around')!, resolve));
      });
      const answer = async (n: number): Promise<void> => {
        waiting.get(`7-${n}`)!({ items: numbered(n), next: 'older', previous: 'newer', target: `7-${n}` });
        await settled();
      };
      return { conversation, answer };
    }

    it('goes where one wanted last, whichever answer comes last', async () => {
      const { conversation, answer } = await held(new FakeServer());
      for (const target of ['7-2', '7-4']) {
        void conversation.show(target);
        await settled();
      }
      await answer(4);
      await answer(2);
      expect([ids(conversation), conversation.sought?.id]).toEqual([['7-4'], '7-4']);
    });

    it('stays where one went meanwhile without fetching: at a message that is here, or at the newest', async () => {
      for (const go of [(one: Conversation) => one.show('7-9'), (one: Conversation) => one.newest()]) {
        const { conversation, answer } = await held(new FakeServer());
        void conversation.show('7-2');
        await settled();
        await go(conversation);
        await answer(2);
        expect(ids(conversation)).toEqual(['7-8', '7-9']);
      }
    });

    it('begins where one wanted last, also while it is fetched', async () => {
      const server = new FakeServer();
      long(server);
      const conversation = new Conversation('7', server.live);
      await conversation.show('7-4');
      const around = vi.fn();
      server.on('GET /chats/7/messages', async (_, url) => {
        const n = Number(url.searchParams.get('around')?.slice(2));
        around(n);
        if (n === 4) await conversation.show('7-2');
        return { items: numbered(n + 1, n), next: 'older', previous: 'newer', target: `7-${n}` };
      });
      conversation.follow();
      await settled();
      expect(around.mock.calls.flat()).toEqual([4, 2]);
      expect([ids(conversation), conversation.sought?.id]).toEqual([['7-2', '7-3'], '7-2']);
    });

    it('stays where one reads after a gap in the connection', async () => {
      const server = new FakeServer();
      const conversation = await jumped(server);
      server.frame('RESYNC', { reason: 'too old' });
      await settled();
      expect(ids(conversation)).toEqual(['7-4', '7-5']);
    });

    it('stays where one went while all was fetched again, and has it all the same', async () => {
      const server = new FakeServer();
      long(server);
      const conversation = await follow(server);
      let answer!: () => void;
      const held = new Promise<void>((resolve) => (answer = resolve));
      server.on('GET /chats/7', async () => (await held, chat({ id: '7', unread_count: 3 })));
      server.frame('RESYNC', { reason: 'too old' });
      await settled();
      await conversation.show('WA7-4');
      answer();
      await settled();
      expect(ids(conversation)).toEqual(['7-4', '7-5']);
      expect([conversation.sought?.id, conversation.hasNewer, conversation.chat?.unread_count]).toEqual([
        '7-4',
        true,
        3,
      ]);
    });

    it('begins at a message, or at the newest where it is not kept', async () => {
      const server = new FakeServer();
      long(server);
      expect(ids(await follow(server, '7-4'))).toEqual(['7-4', '7-5']);
      expect(ids(await follow(server, 'gone'))).toEqual(['7-8', '7-9']);
    });
  });
});
