import { afterEach, expect, it, vi } from 'vitest';
import type { Upload } from '../api/types';
import { upload } from './upload';

class Request {
  static readonly all: Request[] = [];
  readonly upload = {};
  readonly status = 201;
  readonly responseText = '{"media_id":"1"}';
  isSent = false;
  onload!: () => void;
  onabort!: () => void;

  constructor() {
    Request.all.push(this);
  }

  open(): void {}
  setRequestHeader(): void {}
  getResponseHeader(): null {
    return null;
  }

  send(): void {
    this.isSent = true;
  }

  abort(): void {
    if (this.isSent) this.onabort();
  }
}

afterEach(() => {
  vi.unstubAllGlobals();
  Request.all.length = 0;
});

it('of many files two are on their way at a time, and one that is given up before its turn is not', async () => {
  vi.stubGlobal('XMLHttpRequest', Request);
  const begun = [1, 2, 3, 4].map((n) =>
    upload(new File(['x'], `${n}.txt`), 'document', `key-${n}`, null, null, () => {}),
  );
  const sent = (): boolean[] => Request.all.map((one) => one.isSent);
  expect(sent()).toEqual([true, true, false, false]);
  begun[2]!.cancel();
  await expect(begun[2]!.done).rejects.toMatchObject({ status: 0 });
  Request.all[0]!.onload();
  expect(((await begun[0]!.done) as Upload).media_id).toBe('1');
  expect(sent()).toEqual([true, true, false, true]);
  for (const one of begun) one.cancel();
  await Promise.allSettled(begun.map((one) => one.done));
});

it('of many files that are given up together none begins in the place of another', async () => {
  vi.stubGlobal('XMLHttpRequest', Request);
  const begun = [1, 2, 3, 4, 5, 6].map((n) =>
    upload(new File(['x'], `${n}.txt`), 'document', `key-${n}`, null, null, () => {}),
  );
  for (const one of begun) one.cancel();
  await Promise.allSettled(begun.map((one) => one.done));
  expect(Request.all.map((one) => one.isSent)).toEqual([true, true, false, false, false, false]);
});
