import { describe, expect, it } from 'vitest';
import { FakeServer, settled } from '../testing/server';
import { message } from '../testing/samples';
import { Gallery } from './gallery.svelte';

const picture = (n: number, chat = '7') =>
  message({ id: `${chat}-${n}`, chat_id: chat, message_type: 'image', timestamp: n });

async function opened(server: FakeServer, chat: string | null = '7'): Promise<Gallery> {
  const gallery = new Gallery({ device: 'd1', chat }, 'image', server.live);
  gallery.follow();
  await settled();
  return gallery;
}

const ids = (gallery: Gallery): string[] => gallery.items.map((one) => one.id);

describe('Gallery', () => {
  it('goes through pages that have nothing until one has', async () => {
    const server = new FakeServer().on('GET /chats/7/media', (_, url) => {
      const after = url.searchParams.get('after');
      if (after === null) return { items: [], next: 'a' };
      return after === 'a' ? { items: [], next: 'b' } : { items: [picture(1)], next: null };
    });
    const gallery = await opened(server);
    expect([ids(gallery), gallery.hasMore]).toEqual([['7-1'], false]);
  });

  it('shows what comes live, and not what is deleted, of its own chat only', async () => {
    const server = new FakeServer().on('GET /chats/7/media', () => ({ items: [picture(2), picture(1)], next: null }));
    const gallery = await opened(server);
    server.frame('NEW_MESSAGE', picture(3));
    server.frame('NEW_MESSAGE', picture(4, '8'));
    server.frame('NEW_MESSAGE', message({ id: '7-5', timestamp: 5 }));
    server.frame('MESSAGE_STATUS', { ...picture(1), message_type: 'deleted' });
    expect(ids(gallery)).toEqual(['7-3', '7-2']);
  });

  it('of a device covers all its chats', async () => {
    const server = new FakeServer().on('GET /devices/d1/media', () => ({ items: [picture(1)], next: null }));
    const gallery = await opened(server, null);
    server.frame('NEW_MESSAGE', picture(4, '8'));
    expect(ids(gallery)).toEqual(['8-4', '7-1']);
  });

  it('does not bring back what was deleted while its page was fetched', async () => {
    const server = new FakeServer().on('GET /chats/7/media', (_, url) => {
      if (!url.searchParams.has('after')) return { items: [picture(9)], next: 'a' };
      server.frame('MESSAGE_STATUS', { ...picture(3), message_type: 'deleted' });
      return { items: [picture(3), picture(2)], next: null };
    });
    const gallery = await opened(server);
    await gallery.more();
    expect(ids(gallery)).toEqual(['7-9', '7-2']);
  });

  it('says where more could not be fetched, until it could', async () => {
    let isDown = true;
    const server = new FakeServer().on('GET /chats/7/media', (_, url) => {
      if (!url.searchParams.has('after')) return { items: [], next: 'a' };
      if (isDown) throw new TypeError('no network');
      return { items: [picture(1)], next: null };
    });
    const gallery = await opened(server);
    expect([gallery.state, Boolean(gallery.moreProblem)]).toEqual(['ready', true]);
    isDown = false;
    server.connect();
    await settled();
    expect([gallery.moreProblem, ids(gallery)]).toEqual([null, ['7-1']]);
  });

  it('keeps what was seen after a gap, however far back, and what came meanwhile', async () => {
    let newest = 9;
    const server = new FakeServer().on('GET /chats/7/media', (_, url) => {
      const after = url.searchParams.get('after');
      const from = after === null ? newest : Number(after) - 1;
      return { items: [picture(from), picture(from - 1)], next: from > 2 ? String(from - 1) : null };
    });
    const gallery = await opened(server);
    await gallery.more();
    expect(ids(gallery)).toEqual(['7-9', '7-8', '7-7', '7-6']);
    newest = 10;
    server.frame('RESYNC', { reason: 'too old' });
    await settled();
    expect(ids(gallery)).toEqual(['7-10', '7-9', '7-8', '7-7', '7-6', '7-5']);
    expect(gallery.hasMore).toBe(true);
  });

  it('leaves what is older than the last page for that page', async () => {
    const server = new FakeServer().on('GET /chats/7/media', () => ({ items: [picture(9)], next: 'a' }));
    const gallery = await opened(server);
    server.frame('MESSAGE_STATUS', picture(3));
    expect(ids(gallery)).toEqual(['7-9']);
  });
});
