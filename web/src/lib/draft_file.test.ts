import { afterEach, expect, it, vi } from 'vitest';
import type { SourceMessage } from '../api/types';
import { DraftFile } from './draft_file.svelte';
import { FakeUploads } from '../testing/uploads';
import { settled } from '../testing/server';

afterEach(() => vi.unstubAllGlobals());

it('a file that did not reach the server is the same file when it is tried again', async () => {
  const uploads = new FakeUploads();
  const written = { message: { type: 'text', text: 'Hi' } as SourceMessage, touch: vi.fn() };
  const file = new DraftFile(written);
  void file.choose(new File(['x'], 'prices.pdf', { type: 'application/pdf' }));
  await settled();
  uploads.at(0).fail();
  await settled();
  const chosen = file.chosen;
  expect([file.lacks, written.message.type]).toEqual(['failed', 'text']);
  void file.take();
  await settled();
  expect([file.chosen === chosen, file.lacks]).toEqual([true, 'uploading']);
  uploads.at(1).answer({ media_id: '1', media_url: '/media/1.pdf' });
  await settled();
  expect(file.lacks).toBeNull();
  expect(written.message).toMatchObject({ type: 'document', text: 'Hi', media_id: '1', file_name: 'prices.pdf' });
  expect(written.touch).toHaveBeenCalledOnce();
});
