import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pairing } from '../testing/samples';
import { FakeServer } from '../testing/server';
import { PairingAttempt } from './pairing.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('PairingAttempt', () => {
  it('shows each code as it rotates, only of its own pairing, until the end', async () => {
    const server = new FakeServer().on('POST /devices/d1/pairings', () => pairing());
    const attempt = new PairingAttempt('d1', server.live);
    await attempt.start('qr');
    for (const qr of ['2@a', '2@b']) {
      server.frame('QR_UPDATE', pairing({ qr }));
      expect(attempt.current?.qr).toBe(qr);
    }
    server.frame('QR_UPDATE', pairing({ id: 'other', state: 'failed' }));
    expect(attempt.waiting).toBe(true);
    server.frame('QR_UPDATE', pairing({ state: 'paired' }));
    expect(attempt.current?.state).toBe('paired');
    server.frame('QR_UPDATE', pairing({ qr: '2@late' }));
    expect(attempt.current?.state).toBe('paired');
  });

  it('shows a code that was faster than the answer that started it', async () => {
    let answer: (value: unknown) => void = () => undefined;
    const server = new FakeServer().on('POST /devices/d1/pairings', () => new Promise((resolve) => (answer = resolve)));
    const attempt = new PairingAttempt('d1', server.live);
    const started = attempt.start('qr');
    await settle();
    server.frame('QR_UPDATE', pairing({ device_id: 'other', qr: '2@other' }));
    server.frame('QR_UPDATE', pairing({ device_id: 'd1', qr: '2@early' }));
    answer(pairing({ device_id: 'd1', qr: null }));
    await started;
    expect(attempt.current?.qr).toBe('2@early');
  });

  it('asks for itself when the socket is silent, and stops asking at the end', async () => {
    let state: 'waiting' | 'expired' = 'waiting';
    const server = new FakeServer()
      .on('POST /devices/d1/pairings', () => pairing())
      .on('GET /pairings/p1', () => pairing({ state, qr: '2@asked' }));
    const attempt = new PairingAttempt('d1', server.live);
    await attempt.start('qr');
    await settle(10_000);
    expect(attempt.current?.qr).toBe('2@asked');
    state = 'expired';
    await settle(10_000);
    expect(attempt.current?.state).toBe('expired');
    const asked = server.calls.length;
    await settle(60_000);
    expect(server.calls).toHaveLength(asked);
  });

  it('cancels what waits when it is left, and nothing that has ended', async () => {
    const server = new FakeServer().on('POST /devices/d1/pairings', () => pairing());
    const attempt = new PairingAttempt('d1', server.live);
    await attempt.start('qr');
    await attempt.cancel();
    await attempt.start('qr');
    server.frame('QR_UPDATE', pairing({ state: 'paired' }));
    await attempt.cancel();
    expect(server.calls.filter((call) => call.route === 'DELETE /pairings/p1')).toHaveLength(1);
  });

  it('cancels a pairing whose answer came after it was left', async () => {
    let answer: (value: unknown) => void = () => undefined;
    const server = new FakeServer().on('POST /devices/d1/pairings', () => new Promise((resolve) => (answer = resolve)));
    const attempt = new PairingAttempt('d1', server.live);
    const started = attempt.start('qr');
    await settle();
    await attempt.cancel();
    answer(pairing());
    await started;
    await settle();
    expect(server.calls.map((call) => call.route)).toContain('DELETE /pairings/p1');
    expect(attempt.current).toBeNull();
  });

  it('says why it could not start, and forgets that with the next try', async () => {
    let status = 409;
    const server = new FakeServer().on('POST /devices/d1/pairings', () =>
      status === 409 ? Response.json({ detail: 'This device is paired.' }, { status }) : pairing(),
    );
    const attempt = new PairingAttempt('d1', server.live);
    await attempt.start('qr');
    expect(String(attempt.problem)).toContain('This device is paired.');
    status = 201;
    await attempt.start('qr');
    expect([attempt.problem, attempt.waiting]).toEqual([null, true]);
  });
});
