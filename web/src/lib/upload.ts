/** Files on their way to the server, in turns. */
import { Problem } from '../api/problem';
import { transfer, type Transfer } from '../api/transfer';
import type { Upload } from '../api/types';
import type { Film } from './film';
import { uploadTurns } from './turns';

export type UploadKind = 'image' | 'video' | 'audio' | 'voice' | 'document';

/** Bytes. Voice notes, and pictures as cameras make them, are smaller; films and scans are not. */
const LONG = 8 * 1024 * 1024;

/** Whether it takes so long that others do not wait for it. */
export function isLong(file: File): boolean {
  return file.size > LONG;
}

/**
 * @param key of this try: a refusal must not be given again to the next; a file that is sent twice is stored once all the same
 * @param waveform of a voice note: its loudness in 64 steps from 0 to 100
 * @param film of a video: how it looks
 * @param progress told the share that has left, from 0 to 1; first as soon as it is its turn
 * @throws (done) Problem when the server refuses, cannot be reached (status 0) or `cancel` was called
 */
export function upload(
  file: File,
  kind: UploadKind,
  key: string,
  waveform: readonly number[] | null,
  film: Film | null,
  progress: (share: number) => void,
): Transfer<Upload> {
  const form = new FormData();
  form.append('type', kind);
  if (waveform) form.append('waveform', waveform.join(','));
  if (film) form.append('poster', film.poster, 'poster.jpg');
  if (film?.seconds) form.append('seconds', String(film.seconds));
  form.append('file', file, file.name);
  let running: Transfer<Upload> | null = null;
  let end!: () => void;
  let cancel!: () => void;
  const done = new Promise<Upload>((resolve, reject) => {
    end = uploadTurns.begin(() => {
      progress(0);
      running = transfer<Upload>('/api/v1/media', form, progress, { 'Idempotency-Key': key });
      running.done.then(resolve, reject);
    }, isLong(file));
    cancel = () => {
      if (running) return running.cancel();
      end(); // at once: of many that are given up together none begins in the place of another
      reject(new Problem(0, 'cancelled'));
    };
  });
  done.then(end, end);
  return { done, cancel };
}
