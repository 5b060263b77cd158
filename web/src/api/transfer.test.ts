import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeUploads } from '../testing/uploads';
import { onSignedOut } from './client';
import { transfer } from './transfer';

let uploads: FakeUploads;
beforeEach(() => {
  vi.useFakeTimers();
  uploads = new FakeUploads();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('a file of which nothing more gets through is given up after a minute, and not before', async () => {
  const { done } = transfer('/api/v1/media', new FormData(), () => undefined);
  const ended = vi.fn();
  done.catch(ended);
  await vi.advanceTimersByTimeAsync(59_000);
  uploads.at(0).goOn(0.5);
  await vi.advanceTimersByTimeAsync(59_000);
  expect([ended.mock.calls.length, uploads.at(0).isAborted]).toEqual([0, false]);
  await vi.advanceTimersByTimeAsync(2000);
  expect(ended).toHaveBeenCalledWith(expect.objectContaining({ status: 0, mayPass: true }));
  expect(uploads.at(0).isAborted).toBe(true);
});

it('who is not known any more is signed out by the answer to a file as by any other', async () => {
  const signedOut = vi.fn();
  onSignedOut(signedOut);
  const { done } = transfer('/api/v1/media', new FormData(), () => undefined);
  uploads.at(0).answer({ title: 'Sign in' }, 401);
  await expect(done).rejects.toMatchObject({ status: 401 });
  expect(signedOut).toHaveBeenCalledOnce();
});
