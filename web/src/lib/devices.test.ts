import { describe, expect, it } from 'vitest';
import { FakeServer, settled } from '../testing/server';
import { chat, device } from '../testing/samples';
import { deviceGroup, Devices, fits } from './devices.svelte';

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
    expect(devices.byId.get('a')?.state).toBe('banned');
    server.frame('DEVICE_STATUS', { id: 'a', deleted: true });
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
    server.frame('CHAT_UPDATE', chat({ id: '1', unread_count: 3 }));
    expect(devices.unread.of('d1')).toBe(6);
    expect(devices.unread.total).toBe(6);
    server.frame('CHAT_UPDATE', chat({ id: '1', unread_count: 0 }));
    expect(devices.unread.of('d1')).toBe(3);
    server.frame('DEVICE_STATUS', { id: 'd1', deleted: true });
    expect(devices.unread.total).toBe(0);
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

describe('fits', () => {
  const line = device({ id: 'a', name: 'Sales KL 1', tags: ['vip'] });
  it.each([
    ['sales', true],
    ['kl 1', true],
    ['VIP', true],
    ['012-345 6789', true],
    ['+60 12', true],
    ['penang', false],
    ['', true],
  ])('%j: %s', (search, expected) => expect(fits(line, search)).toBe(expected));
});

it('every state falls under one filter', () => {
  const states = [
    'new',
    'pairing',
    'connecting',
    'online',
    'offline',
    'logged_out',
    'banned',
    'replaced',
    'outdated',
  ] as const;
  expect(states.map((state) => deviceGroup(device({ id: 'a', state })))).not.toContain(undefined);
});
