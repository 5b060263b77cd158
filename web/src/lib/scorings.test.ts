import { describe, expect, it } from 'vitest';
import type { Scoring } from '../api/types';
import { FakeServer } from '../testing/server';
import { Scorings } from './scorings.svelte';

const scoring = (change: Partial<Scoring>): Scoring => ({
  id: '3',
  state: 'running',
  reason: null,
  goal: '',
  leads: 10,
  scored: 0,
  failed: 0,
  created_by: 'user:7',
  created_at: '2026-09-21T12:53:20Z',
  ended_at: null,
  ...change,
});

describe('a scoring', () => {
  it('is followed to its end, also while the server is away for a moment', async () => {
    const steps = [
      scoring({ scored: 4 }),
      Response.json({ detail: 'away' }, { status: 503 }),
      scoring({ state: 'done', scored: 9, failed: 1 }),
    ];
    const shown: (number | undefined)[] = [];
    const scorings = new Scorings(0);
    const server = new FakeServer()
      .on('POST /scorings', () => scoring({}))
      .on('GET /scorings/3', () => {
        shown.push(scorings.current?.scored);
        return steps.shift();
      });
    const end = await scorings.run({ lead_ids: ['1'], goal: 'Restaurants' });
    expect([end?.state, end?.scored, end?.failed]).toEqual(['done', 9, 1]);
    expect(shown).toEqual([0, 4, 4]);
    expect(scorings.current).toBeNull();
    expect(server.calls[0]?.body).toEqual({ lead_ids: ['1'], goal: 'Restaurants' });
  });

  it('that is under way already is shown, and one that has ended is not', async () => {
    const server = new FakeServer()
      .on('GET /scorings', () => ({ items: [scoring({})], next: null }))
      .on('GET /scorings/3', () => scoring({ state: 'cancelled' }));
    expect((await new Scorings(0).resume())?.state).toBe('cancelled');
    server.on('GET /scorings', () => ({ items: [scoring({ state: 'done' })], next: null }));
    expect(await new Scorings(0).resume()).toBeNull();
  });

  it('that nobody looks at any more is not asked after', async () => {
    const scorings = new Scorings(0);
    const server = new FakeServer().on('POST /scorings', () => scoring({}));
    const end = scorings.run({ filter: {}, goal: '' });
    scorings.leave();
    expect(await end).toBeNull();
    expect(server.calls.map((one) => one.route)).toEqual(['POST /scorings']);
  });

  it('that is refused says so and is not shown', async () => {
    new FakeServer().on('POST /scorings', () => Response.json({ detail: 'No endpoint' }, { status: 409 }));
    const scorings = new Scorings(0);
    await expect(scorings.run({ filter: {}, goal: '' })).rejects.toThrow('No endpoint');
    expect(scorings.current).toBeNull();
  });
});
