import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Transfer } from '../api/transfer';
import type { Upload } from '../api/types';
import { FakeUploads } from '../testing/uploads';
import { isLong, upload } from './upload';

let uploads: FakeUploads;
let begun: Transfer<Upload>[];
beforeEach(() => {
  uploads = new FakeUploads();
  begun = [];
});
afterEach(async () => {
  for (const one of begun) one.cancel();
  await Promise.allSettled(begun.map((one) => one.done));
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Begins to send files of so many megabytes; gives the names of those that left, at any time. */
function send(...megabytes: number[]): () => string[] {
  const left: string[] = [];
  for (const [index, size] of megabytes.entries()) {
    const name = 'abcdefgh'[index]!;
    const file = Object.defineProperty(new File([name], name), 'size', { value: size * 1024 * 1024 });
    const began = (share: number): void => void (share === 0 && left.push(name));
    begun.push(upload(file, 'document', `key-${name}`, null, null, began));
  }
  return () => left;
}

it('of many files two are on their way at a time, and one that is given up before its turn is not', async () => {
  const left = send(1, 1, 1, 1);
  expect(left()).toEqual(['a', 'b']);
  begun[2]!.cancel();
  await expect(begun[2]!.done).rejects.toMatchObject({ status: 0 });
  uploads.at(0).answer({ media_id: '1' });
  expect((await begun[0]!.done).media_id).toBe('1');
  expect(left()).toEqual(['a', 'b', 'd']);
});

it('of many files that are given up together none begins in the place of another', async () => {
  const left = send(1, 1, 1, 1, 1, 1);
  for (const one of begun) one.cancel();
  await Promise.allSettled(begun.map((one) => one.done));
  expect([left(), uploads.all.length]).toEqual([['a', 'b'], 2]);
});

it('a voice note does not wait for films, however many', async () => {
  const left = send(100, 100, 1);
  expect(left()).toEqual(['a', 'c']);
  uploads.at(1).answer({ media_id: '1' });
  await begun[2]!.done;
  expect(left()).toEqual(['a', 'c']);
  uploads.at(0).answer({ media_id: '2' });
  await begun[0]!.done;
  expect(left()).toEqual(['a', 'c', 'b']);
  expect(isLong(new File(['x'], 'note.ogg'))).toBe(false);
});
