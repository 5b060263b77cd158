import { afterEach, describe, expect, it, vi } from 'vitest';
import { Problem } from '../api/problem';
import { chat } from '../testing/samples';
import { FakeServer, settled } from '../testing/server';
import { CampaignList } from './campaign_list.svelte';
import { LeadOfChat } from './chat_lead.svelte';
import { Chats } from './chats.svelte';
import { Conversation } from './conversation.svelte';
import { Devices } from './devices.svelte';
import { Gallery } from './gallery.svelte';
import { Labels } from './labels.svelte';
import type { Live } from './live.svelte';
import { Notes } from './notes.svelte';
import { PacingClock } from './pacing_clock.svelte';
import { SequenceList } from './sequences.svelte';
import { Snapshot } from './snapshot';

type Store = { follow: () => () => void };

describe('what a gap took', () => {
  it.each<[string, (live: Live) => Store]>([
    ['GET /chats', (live) => new Chats(null, live)],
    ['GET /chats/7', (live) => new Conversation('7', live)],
    ['GET /chats/7/outbox', (live) => new Conversation('7', live)],
    ['GET /chats/7/notes', (live) => new Notes('7', live)],
    ['GET /chats/7/lead', (live) => new LeadOfChat('7', live)],
    ['GET /chats/7/media', (live) => new Gallery({ device: 'd1', chat: '7' }, 'image', live)],
    ['GET /devices', (live) => new Devices(live)],
    ['GET /devices/d1', (live) => new PacingClock('d1', live)],
    ['GET /labels', (live) => new Labels(live)],
    ['GET /campaigns', (live) => new CampaignList(live)],
    ['GET /sequences', (live) => new SequenceList(live)],
  ])('is fetched until it is here: %s', async (route, make) => {
    let starting = false;
    const server = new FakeServer();
    const asked = (): number => server.calls.filter((call) => call.route === route).length;
    const whole = route === 'GET /chats/7' ? chat({ id: '7' }) : { items: [], next: null };
    server.on(route, () => (starting ? Response.json({ title: 'Starting' }, { status: 503 }) : whole));
    const end = make(server.live).follow();
    await settled();
    starting = true;
    server.frame('RESYNC', { reason: 'too old' });
    await settled();
    const failed = asked();
    starting = false;
    server.connect();
    await settled();
    const made = asked();
    expect(made).toBeGreaterThan(failed);
    server.connect();
    await settled();
    expect(asked()).toBe(made);
    end();
  });
});

describe('a snapshot that fails', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  function followed(problem: Problem) {
    vi.useFakeTimers();
    const state = { tries: 0, problem: problem as Problem | null, got: 0 };
    const snapshot = new Snapshot(new FakeServer().live);
    const load = (): Promise<void> => {
      state.tries += 1;
      const fetch = () => (state.problem ? Promise.reject(state.problem) : Promise.resolve(state.tries));
      return snapshot.take(fetch, (got) => (state.got = got)).catch(() => undefined);
    };
    return { state, end: snapshot.follow(load) };
  }

  it('is taken again though the connection stands, seldomer each time, until it succeeds', async () => {
    const { state } = followed(new Problem(503, 'starting'));
    const tries: number[] = [];
    for (const seconds of [2, 4, 8, 16, 30, 30]) {
      await vi.advanceTimersByTimeAsync(seconds * 1000 - 1);
      tries.push(state.tries);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(tries).toEqual([1, 2, 3, 4, 5, 6]);
    state.problem = null;
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect([state.tries, state.got]).toEqual([8, 8]);
  });

  it('is not taken again when it was refused, or nobody follows any more', async () => {
    const refused = followed(new Problem(403, 'not allowed'));
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(refused.state.tries).toBe(1);
    const left = followed(new Problem(0, 'no network'));
    await vi.advanceTimersByTimeAsync(2000);
    left.end();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(left.state.tries).toBe(2);
  });
});
