import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { FakeServer, settled } from '../testing/server';
import { chat } from '../testing/samples';
import { account } from './account.svelte';
import { NO_FILTERS } from './chat_filters';
import { Chats, compareChats, placeChats } from './chats.svelte';

const time = (hour: number): string => `2026-09-21T${String(hour).padStart(2, '0')}:00:00Z`;
const ids = (list: readonly { id: string }[]): string[] => list.map((one) => one.id);

describe('placeChats', () => {
  const list = [3, 2, 1].map((n) => chat({ id: String(n), last_message_time: time(n) }));

  it('moves a chat with a new message to the top', () => {
    expect(ids(placeChats(list, [{ ...list[2]!, last_message_time: time(9) }], true))).toEqual(['1', '3', '2']);
  });

  it('keeps pinned chats above all others', () => {
    expect(ids(placeChats(list, [chat({ id: '4', pinned: true, last_message_time: time(0) })], true))[0]).toBe('4');
  });

  it('leaves a chat alone that belongs to a page not fetched yet', () => {
    const older = chat({ id: '9', last_message_time: time(0) });
    expect(ids(placeChats(list, [older], false))).toEqual(['3', '2', '1']);
    expect(ids(placeChats(list, [older], true))).toEqual(['3', '2', '1', '9']);
  });

  it('shows no chat without messages', () => {
    expect(placeChats([], [chat({ id: '1', last_message_time: null })], true)).toEqual([]);
  });

  it('is always the sorted list of the latest states', () => {
    const change = fc.record({ id: fc.nat(5), hour: fc.nat(23), pinned: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const latest = new Map<string, ReturnType<typeof chat>>();
        let placed: ReturnType<typeof chat>[] = [];
        for (const { id, hour, pinned } of changes) {
          const next = chat({ id: String(id), last_message_time: time(hour), pinned });
          latest.set(next.id, next);
          placed = placeChats(placed, [next], true);
        }
        return JSON.stringify(placed) === JSON.stringify([...latest.values()].sort(compareChats));
      }),
    );
  });
});

describe('Chats', () => {
  it('fetches again on RESYNC and follows frames of its own device only', async () => {
    let items = [chat({ id: '1' })];
    const server = new FakeServer().on('GET /chats', () => ({ items, next: null }));
    const chats = new Chats('d1', server.live);
    const end = chats.follow();
    await settled();
    server.frame('CHAT_UPDATE', chat({ id: '2', last_message_time: time(20) }));
    server.frame('CHAT_UPDATE', chat({ id: '3', device_id: 'd2' }));
    expect(ids(chats.list)).toEqual(['2', '1']);
    server.frame('CHAT_GONE', { id: '1', became: '2', device_id: 'd1' });
    expect(ids(chats.list)).toEqual(['2']);
    items = [chat({ id: '5' })];
    server.frame('RESYNC', { reason: 'too old' });
    await settled();
    expect(ids(chats.list)).toEqual(['5']);
    end();
    server.frame('CHAT_UPDATE', chat({ id: '6' }));
    expect(ids(chats.list)).toEqual(['5']);
  });

  it('does not let a slow answer undo a frame that came meanwhile', async () => {
    let answer: (value: unknown) => void = () => undefined;
    const server = new FakeServer().on('GET /chats', (_, url) =>
      url.searchParams.get('archived') === 'true'
        ? { items: [], next: null }
        : new Promise((resolve) => (answer = resolve)),
    );
    const chats = new Chats('d1', server.live);
    chats.follow();
    await settled();
    server.frame('CHAT_UPDATE', chat({ id: '1', unread_count: 3, last_message_time: time(15) }));
    answer({ items: [chat({ id: '1', unread_count: 0 }), chat({ id: '2' })], next: null });
    await settled();
    expect(chats.get('1')?.unread_count).toBe(3);
    expect(ids(chats.list)).toEqual(['1', '2']);
  });

  it('keeps what a frame said of a chat while its page was fetched', async () => {
    const server = new FakeServer().on('GET /chats', (_, url) => {
      if (url.searchParams.get('after') === null) return { items: [chat({ id: '9' })], next: '9' };
      server.frame('CHAT_UPDATE', chat({ id: '5', last_message_time: time(3), unread_count: 0 }));
      return { items: [chat({ id: '5', last_message_time: time(3), unread_count: 2 })], next: null };
    });
    const chats = new Chats(null, server.live);
    const end = chats.follow();
    await settled();
    await chats.more.load();
    expect(chats.list.map((one) => [one.id, one.unread_count])).toEqual([
      ['9', 0],
      ['5', 0],
    ]);
    end();
  });

  it('says where the next chats could not be fetched, until they could', async () => {
    let isDown = true;
    const server = new FakeServer().on('GET /chats', (_, url) => {
      if (!url.searchParams.has('after')) return { items: [chat({ id: '9' })], next: '9' };
      if (isDown) throw new TypeError('no network');
      return { items: [chat({ id: '5', last_message_time: time(3) })], next: null };
    });
    const chats = new Chats(null, server.live);
    const end = chats.follow();
    await settled();
    await chats.more.load();
    expect([ids(chats.list), Boolean(chats.more.problem)]).toEqual([['9'], true]);
    isDown = false;
    await chats.more.load();
    expect([ids(chats.list), chats.more.problem]).toEqual([['9', '5'], null]);
    end();
  });

  it('shows only what passes the filters, and the chat being read though reading it took it out', async () => {
    const unread = { ...NO_FILTERS, unread: true };
    const items = ['1', '2'].map((id) => chat({ id, unread_count: 1 }));
    const server = new FakeServer().on('GET /chats', (_, url) =>
      url.searchParams.get('unread') === 'true' ? { items, next: null } : { items: [], next: null },
    );
    const chats = new Chats(null, server.live);
    chats.follow();
    chats.refilter(unread);
    await settled();
    chats.opened = '2';
    for (const id of ['1', '2']) server.frame('CHAT_UPDATE', chat({ id, unread_count: 0 }));
    expect(ids(chats.list)).toEqual(['2']);
    server.frame('CHAT_UPDATE', chat({ id: '3', device_id: 'd2', unread_count: 1, last_message_time: time(20) }));
    expect(ids(chats.list)).toEqual(['3', '2']);
    chats.opened = '4';
    server.frame('CHAT_UPDATE', chat({ id: '4', unread_count: 0, last_message_time: time(21) }));
    expect(ids(chats.list)).toEqual(['3', '2']);
  });

  it('lets no chat in that somebody types in after more days than lists go back', async () => {
    const server = new FakeServer().on('GET /chats', () => ({ items: [], next: null }));
    const days = vi.spyOn(account, 'chatDays', 'get').mockReturnValue(30);
    const chats = new Chats('d1', server.live);
    const end = chats.follow();
    await settled();
    const old = new Date(Date.now() - 31 * 86_400_000).toISOString();
    server.frame('CHAT_UPDATE', chat({ id: '1', last_message_time: old, typing: '1@lid' }));
    server.frame('CHAT_UPDATE', chat({ id: '2', last_message_time: old, archived: true }));
    expect([ids(chats.list), chats.hasArchived]).toEqual([[], false]);
    server.frame('CHAT_UPDATE', chat({ id: '1', last_message_time: new Date().toISOString() }));
    expect(ids(chats.list)).toEqual(['1']);
    end();
    days.mockRestore();
  });
});
