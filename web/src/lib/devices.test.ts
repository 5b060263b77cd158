import { describe, expect, it } from 'vitest';
import { drawn, FakeServer, settled } from '../testing/server';
import { chat, device, message } from '../testing/samples';
import { Devices } from './devices.svelte';

async function following(server: FakeServer): Promise<Devices> {
  const devices = new Devices(server.live);
  devices.follow();
  await settled();
  return devices;
}

describe('Devices', () => {
  it('fetches every page, sorts by name with numbers in order, and follows states', async () => {
    const server = new FakeServer().on('GET /devices', (_, url) =>
      url.searchParams.get('after') === null
        ? { items: [device({ id: 'b', name: 'Line 10' })], next: 'x' }
        : { items: [device({ id: 'a', name: 'Line 9' })], next: null },
    );
    const devices = await following(server);
    expect(devices.sorted.map((one) => one.name)).toEqual(['Line 9', 'Line 10']);
    server.frame('DEVICE_STATUS', device({ id: 'a', name: 'Line 9', state: 'banned' }));
    await drawn();
    expect(devices.byId.get('a')?.state).toBe('banned');
    server.frame('DEVICE_STATUS', { id: 'a', deleted: true });
    await drawn();
    expect(devices.byId.has('a')).toBe(false);
  });

  it('keeps the state a frame told while the answer to connecting was under way', async () => {
    const server = new FakeServer().on('GET /devices', () => ({ items: [device({ id: 'a' })], next: null }));
    const devices = await following(server);
    server.on('POST /devices/a/connect', () => {
      server.frame('DEVICE_STATUS', device({ id: 'a', state: 'online' }));
      return device({ id: 'a', state: 'connecting' });
    });
    await devices.steer('a', 'connect');
    expect(devices.byId.get('a')?.state).toBe('online');
  });

  it('forgets on RESYNC what is gone', async () => {
    let items = [device({ id: 'a' }), device({ id: 'b' })];
    const server = new FakeServer().on('GET /devices', () => ({ items, next: null }));
    const devices = await following(server);
    items = [device({ id: 'b' })];
    server.frame('RESYNC', { reason: 'restart' });
    await settled();
    expect([...devices.byId.keys()]).toEqual(['b']);
  });

  it('counts unread messages along with the chats', async () => {
    const server = new FakeServer().on('GET /devices', () => ({
      items: [device({ id: 'd1', unread_count: 4 })],
      next: null,
    }));
    const devices = await following(server);
    server.frame('CHAT_UPDATE', chat({ id: '1', unread_count: 1 }));
    await drawn();
    server.frame('CHAT_UPDATE', chat({ id: '1', unread_count: 2 }));
    server.frame('CHAT_UPDATE', chat({ id: '1', unread_count: 3 }));
    await drawn();
    expect(devices.unread.of('d1')).toBe(6);
    expect(devices.unread.total).toBe(6);
    server.frame('CHAT_UPDATE', chat({ id: '1', unread_count: 0 }));
    await drawn();
    expect(devices.unread.of('d1')).toBe(3);
    server.frame('CHAT_UPDATE', chat({ id: '1', unread_count: 2 }));
    server.frame('CHAT_UPDATE', chat({ id: '1', unread_count: 2, archived: true }));
    await drawn();
    expect(devices.unread.of('d1')).toBe(3);
    server.frame('DEVICE_STATUS', { id: 'd1', deleted: true });
    await drawn();
    expect(devices.unread.total).toBe(0);
  });

  it('shows the first page before the others are here', async () => {
    let second: (page: unknown) => void = () => undefined;
    const sizes: (string | null)[] = [];
    const server = new FakeServer().on('GET /devices', (_, url) => {
      sizes.push(url.searchParams.get('limit'));
      if (url.searchParams.get('after') === null) return { items: [device({ id: 'b', state: 'banned' })], next: 'x' };
      return new Promise((resolve) => (second = resolve));
    });
    const devices = await following(server);
    expect([devices.state, devices.total, devices.counts.banned]).toEqual(['loading', 1, 1]);
    second({ items: [device({ id: 'a' })], next: null });
    await settled();
    expect([devices.state, devices.total]).toEqual(['ready', 2]);
    expect(sizes).toEqual(['100', '1000']);
  });

  it('keeps what frames told and who came and went while later pages were under way', async () => {
    let second: (page: unknown) => void = () => undefined;
    const server = new FakeServer().on('GET /devices', (_, url) =>
      url.searchParams.get('after') === null
        ? { items: [device({ id: 'a' }), device({ id: 'gone' })], next: 'x' }
        : new Promise((resolve) => (second = resolve)),
    );
    const devices = await following(server);
    server.frame('DEVICE_STATUS', device({ id: 'a', state: 'banned' }));
    server.frame('DEVICE_STATUS', device({ id: 'b', state: 'replaced' }));
    server.frame('DEVICE_STATUS', { id: 'gone', deleted: true });
    server.frame('DEVICE_STATUS', device({ id: 'new', state: 'new' }));
    second({ items: [device({ id: 'b' })], next: null });
    await settled();
    expect(Object.fromEntries(devices.everyone().map((one) => [one.id, one.state]))).toEqual({
      a: 'banned',
      b: 'replaced',
      new: 'new',
    });
    expect(devices.total).toBe(3);
  });

  it('counts states along, once a drawing however many frames come', async () => {
    const items = Array.from({ length: 50 }, (_, n) => device({ id: `d${n}`, state: 'offline' }));
    const server = new FakeServer().on('GET /devices', () => ({ items, next: null }));
    const devices = await following(server);
    const before = devices.version;
    for (const { id } of items) {
      server.frame('DEVICE_STATUS', device({ id, state: 'connecting' }));
      server.frame('DEVICE_STATUS', device({ id, state: 'online' }));
    }
    server.frame('DEVICE_STATUS', { id: 'd0', deleted: true });
    expect(devices.counts.offline).toBe(50);
    await drawn();
    expect(devices.counts).toMatchObject({ offline: 0, online: 49 });
    expect(devices.version).toBe(before + 1);
  });

  it('lets what is no device and no chat go by: a send with the number of a chat does not stand in its place', async () => {
    const server = new FakeServer().on('GET /devices', () => ({
      items: [device({ id: 'd1', unread_count: 1 })],
      next: null,
    }));
    const devices = await following(server);
    server.frame('CHAT_UPDATE', chat({ id: '93', unread_count: 1 }));
    await drawn();
    const before = devices.version;
    server.frame('CHAT_UPDATE', chat({ id: '93', unread_count: 2 }));
    server.frame('MESSAGE_STATUS', message({ id: '93' }));
    await drawn();
    expect(devices.unread.of('d1')).toBe(2);
    expect(devices.version).toBe(before);
  });

  it('puts an answer above what waits to be drawn', async () => {
    const server = new FakeServer().on('GET /devices', () => ({ items: [device({ id: 'a' })], next: null }));
    const devices = await following(server);
    server.on('PATCH /devices/a', () => device({ id: 'a', name: 'New' }));
    server.frame('DEVICE_STATUS', device({ id: 'a', name: 'Old' }));
    await devices.change('a', { name: 'New', tags: [] });
    await drawn();
    expect(devices.byId.get('a')?.name).toBe('New');
  });

  it('orders by name and by age, and follows a new name', async () => {
    const server = new FakeServer().on('GET /devices', () => ({
      items: [
        device({ id: 'b', name: 'Line 2', created_at: '2026-01-02T00:00:00Z' }),
        device({ id: 'a', name: 'Line 10', created_at: '2026-01-01T00:00:00Z' }),
      ],
      next: null,
    }));
    const devices = await following(server);
    expect([devices.byName, devices.newest]).toEqual([
      ['b', 'a'],
      ['b', 'a'],
    ]);
    server.frame('DEVICE_STATUS', device({ id: 'a', name: 'Line 1', created_at: '2026-01-01T00:00:00Z' }));
    server.frame('DEVICE_STATUS', device({ id: 'c', name: 'Line 3', created_at: '2026-01-03T00:00:00.5Z' }));
    await drawn();
    expect(devices.byName).toEqual(['a', 'b', 'c']);
    expect(devices.newest).toEqual(['c', 'b', 'a']);
  });

  it('counts tags without regard to case', async () => {
    const server = new FakeServer().on('GET /devices', () => ({
      items: [device({ id: 'a', tags: ['VIP', 'KL'] }), device({ id: 'b', tags: ['vip'] })],
      next: null,
    }));
    const devices = await following(server);
    expect(devices.tags).toEqual([
      { tag: 'KL', devices: 1 },
      { tag: 'VIP', devices: 2 },
    ]);
  });

  it('says that it failed, and recovers', async () => {
    let status = 503;
    const server = new FakeServer().on('GET /devices', () =>
      status === 503 ? Response.json({ detail: 'Starting.' }, { status }) : { items: [], next: null },
    );
    const devices = await following(server);
    expect(devices.state).toBe('failed');
    status = 200;
    await devices.load();
    expect(devices.state).toBe('ready');
  });
});
