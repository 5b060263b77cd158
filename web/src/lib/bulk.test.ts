import { describe, expect, it } from 'vitest';
import type { Pacing } from '../api/types';
import { FakeServer } from '../testing/server';
import { Bulk, steps } from './bulk.svelte';
import { told } from './bulk_words';

interface Body {
  action: string;
  device_ids: string[];
  tags?: string[];
}

const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => `d${n}`);
const answer = (body: unknown, change: object = {}): object => {
  const { action, device_ids } = body as Body;
  return { action, changed: device_ids, unchanged: [], skipped: [], next: null, ...change };
};

describe('Bulk', () => {
  it('asks for parts and tells how far it is', async () => {
    const bulk = new Bulk();
    const seen: unknown[] = [];
    const server = new FakeServer().on('POST /devices/bulk', (body) => {
      seen.push(bulk.running?.done);
      return answer(body);
    });
    const outcome = await bulk.run(steps('delete', ids(60)));
    expect(server.calls.map(({ body }) => (body as Body).device_ids.length)).toEqual([25, 25, 10]);
    expect(seen).toEqual([0, 25, 50]);
    expect([outcome.changed.size, outcome.left, outcome.undo, bulk.running]).toEqual([60, 0, [], null]);
  });

  it('is stopped between two parts', async () => {
    const bulk = new Bulk();
    const server = new FakeServer().on('POST /devices/bulk', (body) => {
      bulk.stop();
      return answer(body);
    });
    const outcome = await bulk.run(steps('delete', ids(60)));
    expect([server.calls.length, outcome.changed.size, outcome.left]).toEqual([1, 25, 35]);
  });

  it('tells what was done before a part failed', async () => {
    let part = 0;
    new FakeServer().on('POST /devices/bulk', (body) =>
      (part += 1) === 2 ? Response.json({ detail: 'Full.' }, { status: 507 }) : answer(body),
    );
    const outcome = await new Bulk().run(steps('connect', ids(1200)));
    expect([outcome.changed.size, outcome.left]).toEqual([500, 700]);
    expect((outcome.problem as Error).message).toBe('Full.');
  });

  it('gives each line its own pace back', async () => {
    const paces = new Map([80, 40, 80].map((per_hour, n) => [`d${n}`, { per_hour } as Pacing]));
    const server = new FakeServer().on('POST /devices/bulk', (body) =>
      answer(body, { changed: ['d0', 'd1'], unchanged: ['d2'] }),
    );
    const bulk = new Bulk((id) => paces.get(id));
    const { undo } = await bulk.run([{ action: 'set_pacing', ids: ids(3), tag: null, pacing: { per_hour: 10 } }]);
    expect(server.calls.at(-1)?.body).toEqual({ action: 'set_pacing', device_ids: ids(3), pacing: { per_hour: 10 } });
    await bulk.run(undo);
    expect(server.calls.slice(1).map(({ body }) => body)).toEqual([
      { action: 'set_pacing', device_ids: ['d0'], pacing: { per_hour: 80 } },
      { action: 'set_pacing', device_ids: ['d1'], pacing: { per_hour: 40 } },
    ]);
  });

  it('takes back only what it changed', async () => {
    const server = new FakeServer().on('POST /devices/bulk', (body) =>
      answer(body, { changed: ['d0'], unchanged: ['d1'] }),
    );
    const bulk = new Bulk();
    const { undo } = await bulk.run(steps('connect', ids(2)));
    await bulk.run(undo);
    expect(server.calls.at(-1)?.body).toEqual({ action: 'disconnect', device_ids: ['d0'] });
  });

  it('takes back each tag only where it was new', async () => {
    const server = new FakeServer().on('POST /devices/bulk', (body) =>
      answer(body, { changed: (body as Body).tags?.[0] === 'a' ? ['d0'] : ['d1'] }),
    );
    const bulk = new Bulk();
    const { undo } = await bulk.run(steps('add_tags', ids(2), ['a', 'b']));
    server.calls.length = 0;
    await bulk.run(undo);
    expect(server.calls.map(({ body }) => body)).toEqual([
      { action: 'remove_tags', device_ids: ['d0'], tags: ['a'] },
      { action: 'remove_tags', device_ids: ['d1'], tags: ['b'] },
    ]);
  });
});

it('counts devices, not requests, when there are several tags', async () => {
  const bulk = new Bulk();
  const seen: unknown[] = [];
  new FakeServer().on('POST /devices/bulk', (body) => {
    seen.push([bulk.running?.done, bulk.running?.of]);
    if (seen.length === 2) bulk.stop();
    const isNew = (body as Body).tags?.[0] === 'a';
    return answer(body, { changed: isNew ? ['d0'] : [], unchanged: isNew ? ['d1'] : ['d0', 'd1'] });
  });
  const outcome = await bulk.run(steps('add_tags', ids(2), ['a', 'b', 'c']));
  expect(seen).toEqual([
    [0, 2],
    [0, 2],
  ]);
  expect([outcome.changed.size, outcome.unchanged, outcome.left]).toEqual([1, 0, 2]);
  const whole = await new Bulk().run(steps('add_tags', ids(2), ['a', 'b']));
  expect([whole.changed.size, whole.unchanged, whole.left]).toEqual([1, 1, 0]);
});

it('says what was done, what was so already and who was skipped', () => {
  const skip = (id: string): { device_id: string; reason: 'never_paired'; detail: string } => ({
    device_id: id,
    reason: 'never_paired',
    detail: '',
  });
  const outcome = {
    action: 'connect' as const,
    changed: new Set(ids(1200)),
    unchanged: 1,
    skipped: [...ids(4).map(skip), { device_id: 'x', reason: 'not_found' as const, detail: '' }],
    left: 0,
    problem: null,
    undo: [],
  };
  expect(told(outcome, (id) => (id === 'x' ? undefined : id.toUpperCase()))).toBe(
    '1,200 devices are to connect · 1 needed no change · 4 were never linked to a phone (D0, D1, D2, …) · ' +
      '1 does not exist any more',
  );
});
