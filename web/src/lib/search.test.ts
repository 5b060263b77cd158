import { afterEach, describe, expect, it, vi } from 'vitest';
import type { FoundChat, FoundMessage } from '../api/types';
import { chat, message } from '../testing/samples';
import { FakeServer, settled } from '../testing/server';
import { Search } from './search.svelte';

const foundChat = (id: string): FoundChat => ({ chat: chat({ id }), name_highlights: [], phone_highlights: [] });
const foundMessage = (id: string): FoundMessage => ({
  message: message({ id }),
  chat: chat({ id: '7' }),
  highlights: [[0, 2]],
});
const found = (chats: FoundChat[], messages: FoundMessage[], next: string | null = null): unknown => ({
  chats,
  chats_next: null,
  messages: { items: messages, next },
});

async function waited(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 170));
  await settled();
}

describe('Search', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('asks of one chat for all there is, and again only for what came there', async () => {
    const asked: string[] = [];
    const server = new FakeServer().on('GET /search', (_, url) => {
      asked.push(url.search);
      return found([], [foundMessage('7-1')]);
    });
    const search = new Search(null, server.live, '7');
    search.look('teh');
    await waited();
    expect(asked).toEqual(['?q=teh&chat_id=7&limit=200']);
    vi.useFakeTimers();
    const came = (chat_id: string): void =>
      search.apply({
        id: 'e:1',
        code: 'NEW_MESSAGE',
        message: '',
        result: message({ id: `${chat_id}-2`, chat_id, message_text: 'Teh' }),
      });
    came('8');
    await vi.advanceTimersByTimeAsync(2000);
    expect(asked).toHaveLength(1);
    came('7');
    await vi.advanceTimersByTimeAsync(2000);
    expect(asked).toHaveLength(2);
    search.look('');
  });

  it('reaches chats beyond the first page, and says where more of anything could not be loaded', async () => {
    let isDown = false;
    const server = new FakeServer()
      .on('GET /search', (_, url) => {
        if (url.searchParams.get('after') !== null && isDown) throw new TypeError('no network');
        const messages = Array.from({ length: 20 }, (_, n) => foundMessage(`7-${n}`));
        return { ...(found([foundChat('1')], messages, 'm1') as object), chats_next: 'c1' };
      })
      .on('GET /search/chats', (_, url) => {
        if (isDown) throw new TypeError('no network');
        const [, at] = url.searchParams.get('after')!.split('c');
        const items = Array.from({ length: 12 }, (_, n) => foundChat(`${12 * Number(at) + n}`));
        return { items, next: at === '1' ? 'c2' : 'c3' };
      });
    const search = new Search(null, server.live);
    search.look('farid');
    await waited();
    await settled();
    expect([search.chats.length, search.moreChats.exists]).toEqual([25, true]);
    isDown = true;
    await Promise.all([search.moreChats.load(), search.moreMessages.load()]);
    expect([search.moreChats.problem, search.moreMessages.problem].map(Boolean)).toEqual([true, true]);
    isDown = false;
    await Promise.all([search.moreChats.load(), search.moreMessages.load()]);
    expect([search.moreChats.problem, search.moreMessages.problem]).toEqual([null, null]);
    search.look('');
  });

  it('asks once for what was typed in one go, of its own device', async () => {
    const asked: string[] = [];
    const server = new FakeServer().on('GET /search', (_, url) => {
      asked.push(url.search);
      return found([foundChat('1')], [foundMessage('7-1')]);
    });
    const search = new Search('d1', server.live);
    for (const words of ['h', 'ha', 'har ']) search.look(words);
    expect(search.state).toBe('loading');
    await waited();
    expect(asked).toEqual(['?q=har&device_id=d1']);
    expect([search.chats.length, search.messages.length, search.found]).toEqual([1, 1, 'har']);
    search.look('');
    expect([search.active, search.chats.length, search.messages.length]).toEqual([false, 0, 0]);
  });

  it('shows what the last words found, whichever answer came last', async () => {
    const answers = new Map<string, (value: unknown) => void>();
    const server = new FakeServer().on(
      'GET /search',
      (_, url) => new Promise((resolve) => answers.set(url.searchParams.get('q')!, resolve)),
    );
    const search = new Search(null, server.live);
    search.look('fa');
    await waited();
    search.look('far');
    await waited();
    answers.get('far')!(found([foundChat('2')], []));
    answers.get('fa')!(found([foundChat('1')], []));
    await settled();
    expect(search.chats.map((one) => one.chat.id)).toEqual(['2']);
  });

  it('is not put off by messages that arrive all the time', async () => {
    vi.useFakeTimers();
    const asked: string[] = [];
    const server = new FakeServer().on('GET /search', (_, url) => {
      asked.push(url.searchParams.get('q')!);
      return found([], []);
    });
    const search = new Search(null, server.live);
    const end = search.follow();
    search.look('har');
    for (let came = 0; came < 40; came += 1) {
      await vi.advanceTimersByTimeAsync(100);
      server.frame('NEW_MESSAGE', message({ id: `7-${came}`, message_text: 'harga' }));
      if (came === 2) expect(asked).toEqual(['har']);
    }
    expect(asked.length).toBeGreaterThan(3);
    end();
  });

  it('finds what came just before, which the index did not have yet', async () => {
    vi.useFakeTimers();
    const at: number[] = [];
    const server = new FakeServer().on('GET /search', () => {
      at.push(Date.now() - began);
      return found([], at.length < 3 ? [] : [foundMessage('7-1')]);
    });
    const search = new Search('d1', server.live);
    const end = search.follow();
    await vi.advanceTimersByTimeAsync(60_000);
    server.frame('NEW_MESSAGE', message({ id: '9-1', device_id: 'd2' }));
    const began = Date.now();
    search.look('teh');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(at).toEqual([150]);
    search.look('');
    server.frame('NEW_MESSAGE', message({ id: '7-1' }));
    search.look('teh');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(at.slice(1)).toEqual([10_150, 11_200, 15_000]);
    expect(search.messages).toHaveLength(1);
    end();
  });

  it('looks again though one scrolls meanwhile', async () => {
    const many = Array.from({ length: 25 }, (_, n) => foundMessage(`7-${n}`));
    const server = new FakeServer().on('GET /search', () => found([], many, 'p2'));
    const search = new Search(null, server.live);
    search.look('far');
    await waited();
    const answers = new Map<string | null, (value: unknown) => void>();
    server.on('GET /search', (_, url) => new Promise((resolve) => answers.set(url.searchParams.get('after'), resolve)));
    const again = search.load();
    const more = search.moreMessages.load();
    await settled();
    answers.get(null)!(found([], [foundMessage('7-99'), ...many]));
    await again;
    answers.get('p2')!(found([], [foundMessage('7-98')]));
    await more;
    expect([search.messages[0]?.message.id, search.messages.length]).toEqual(['7-99', 26]);
  });

  it('says what is wrong and works again', async () => {
    let works = false;
    const server = new FakeServer().on('GET /search', () =>
      works ? found([], []) : Response.json({ type: 'x', title: 'x', status: 503, detail: 'away' }, { status: 503 }),
    );
    const search = new Search(null, server.live);
    search.look('far');
    await waited();
    expect(search.state).toBe('failed');
    works = true;
    await search.load();
    expect(search.state).toBe('ready');
  });

  it('goes on where the page ended', async () => {
    const server = new FakeServer().on('GET /search', (_, url) =>
      url.searchParams.get('after') === 'p2'
        ? found([], [foundMessage('7-1'), foundMessage('7-2')])
        : found([foundChat('1')], [foundMessage('7-1')], 'p2'),
    );
    const search = new Search(null, server.live);
    search.look('far');
    await waited();
    // a page so short is followed by the next at once
    expect(search.messages.map((one) => one.message.id)).toEqual(['7-1', '7-2']);
    expect([search.moreMessages.exists, search.chats.length]).toEqual([false, 1]);
  });

  it('waits for scrolling where there is enough to see', async () => {
    const many = Array.from({ length: 25 }, (_, n) => foundMessage(`7-${n}`));
    const server = new FakeServer().on('GET /search', (_, url) =>
      url.searchParams.has('after') ? found([], [foundMessage('7-99')]) : found([], many, 'p2'),
    );
    const search = new Search(null, server.live);
    search.look('far');
    await waited();
    expect([search.messages.length, search.moreMessages.exists]).toEqual([25, true]);
    await search.moreMessages.load();
    expect([search.messages.length, search.moreMessages.exists]).toEqual([26, false]);
  });

  it('takes in what changes while it is shown', async () => {
    const server = new FakeServer().on('GET /search', () => found([foundChat('1')], [foundMessage('7-1')]));
    const search = new Search('d1', server.live);
    vi.useFakeTimers();
    const end = search.follow();
    await vi.advanceTimersByTimeAsync(60_000);
    search.look('hello');
    await vi.advanceTimersByTimeAsync(1000);
    server.frame('CHAT_UPDATE', chat({ id: '1', unread_count: 4 }));
    expect(search.chats[0]?.chat.unread_count).toBe(4);
    const calls = (): number => server.calls.length;
    const before = calls();
    server.frame('NEW_MESSAGE', message({ id: '7-8', message_text: 'something else' }));
    await vi.advanceTimersByTimeAsync(3000);
    expect(calls()).toBe(before);
    server.frame('NEW_MESSAGE', message({ id: '7-9', message_text: 'Hello again' }));
    await vi.advanceTimersByTimeAsync(1200);
    expect(calls()).toBe(before + 1);
    end();
  });

  describe('while an answer is on its way', () => {
    async function answering() {
      vi.useFakeTimers();
      const server = new FakeServer();
      const search = new Search('d1', server.live);
      const end = search.follow();
      await vi.advanceTimersByTimeAsync(60_000);
      let answer!: (value: unknown) => void;
      server.on('GET /search', () => new Promise((resolve) => (answer = resolve)));
      search.look('hello');
      await vi.advanceTimersByTimeAsync(200);
      const answered = async (value: unknown): Promise<void> => {
        answer(value);
        await vi.advanceTimersByTimeAsync(1);
      };
      return { server, search, end, answered };
    }
    const many = Array.from({ length: 20 }, (_, n) => foundMessage(`7-${n}`));

    it('keeps what the socket told of chats and messages meanwhile, which is newer', async () => {
      const { server, search, end, answered } = await answering();
      server.frame('CHAT_UPDATE', chat({ id: '1', chat_name: 'Farid of Klang' }));
      server.frame('CHAT_GONE', { id: '2', device_id: 'd1', became: '1' });
      server.frame('CHAT_UPDATE', chat({ id: '7', chat_name: 'Siti' }));
      server.frame('MESSAGE_GONE', { id: '7-2', chat_id: '7', device_id: 'd1' });
      await answered(found([foundChat('1'), foundChat('2')], [foundMessage('7-1'), foundMessage('7-2')]));
      expect(search.chats.map((one) => one.chat.chat_name)).toEqual(['Farid of Klang']);
      expect(search.messages.map((one) => [one.message.id, one.chat.chat_name])).toEqual([['7-1', 'Siti']]);
      end();
    });

    it('looks again for a message that was taken back meanwhile', async () => {
      const { server, search, end, answered } = await answering();
      server.frame('MESSAGE_STATUS', message({ id: '7-1', message_text: '', deleted_at: '2026-09-21T12:54:00Z' }));
      await answered(found([], [foundMessage('7-1')]));
      await vi.advanceTimersByTimeAsync(1300);
      await answered(found([], []));
      expect(search.messages).toEqual([]);
      end();
    });

    it('keeps it also of the next page', async () => {
      const { server, search, end, answered } = await answering();
      await answered(found([], many, 'p2'));
      const more = search.moreMessages.load();
      await vi.advanceTimersByTimeAsync(1);
      server.frame('CHAT_UPDATE', chat({ id: '7', chat_name: 'Siti' }));
      await answered(found([], [foundMessage('7-99')]));
      await more;
      expect(search.messages.at(-1)?.chat.chat_name).toBe('Siti');
      end();
    });

    it('goes on with other words, though a page of those before is never answered', async () => {
      const { server, search, end, answered } = await answering();
      await answered(found([], many, 'p2'));
      void search.moreMessages.load();
      await vi.advanceTimersByTimeAsync(1);
      server.on('GET /search', (_, url) =>
        url.searchParams.has('after') ? found([], [foundMessage('8-2')]) : found([], [foundMessage('8-1')], 'p2'),
      );
      search.look('other');
      await vi.advanceTimersByTimeAsync(200);
      expect(search.messages.map((one) => one.message.id)).toEqual(['8-1', '8-2']);
      end();
    });

    it('keeps the place of who has scrolled on by the time it was looked again', async () => {
      const { server, search, end, answered } = await answering();
      await answered(found([], [...many, ...Array.from({ length: 30 }, (_, n) => foundMessage(`6-${n}`))], 'p2'));
      const first = search.messages;
      server.frame('NEW_MESSAGE', message({ id: '7-100' }));
      await vi.advanceTimersByTimeAsync(1300); // it is looked again, and not answered yet
      server.on('GET /search', () => found([], [foundMessage('5-1')]));
      await search.moreMessages.load();
      await answered(found([], first as FoundMessage[], 'p2'));
      expect(search.messages).toHaveLength(51);
      end();
    });
  });
});
