import { expect, it, vi } from 'vitest';
import { FakeServer } from '../testing/server';
import { Notes } from './notes.svelte';

it('adds the same words once, also when they are saved again because no answer came', async () => {
  const keys: (string | null)[] = [];
  let status = 503;
  const notes = new Notes('7', new FakeServer().live);
  vi.stubGlobal('fetch', (request: Request) => {
    keys.push(request.headers.get('Idempotency-Key'));
    return Promise.resolve(Response.json({}, { status }));
  });
  await expect(notes.add('blue')).rejects.toThrow();
  status = 201;
  await notes.add('blue');
  await notes.add('blue');
  expect(keys[1]).toBe(keys[0]);
  expect(keys[2]).not.toBe(keys[0]);
});
