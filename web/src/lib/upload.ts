/** Sending a file to the server: `fetch` cannot tell how far it is, so this is the one request made the older way. */
import { Problem } from '../api/problem';
import type { Upload } from '../api/types';
import type { Film } from './film';
import { uploadTurns } from './turns';

export type UploadKind = 'image' | 'video' | 'audio' | 'voice' | 'document';

export interface Uploading {
  done: Promise<Upload>;
  cancel: () => void;
}

/**
 * @param key of this try: a refusal must not be given again to the next; a file that is sent twice is stored once all the same
 * @param waveform of a voice note: its loudness in 64 steps from 0 to 100
 * @param film of a video: how it looks
 * @param progress told the share that has left, from 0 to 1
 * @throws (done) Problem when the server refuses, cannot be reached (status 0) or `cancel` was called
 */
export function upload(
  file: File,
  kind: UploadKind,
  key: string,
  waveform: readonly number[] | null,
  film: Film | null,
  progress: (share: number) => void,
): Uploading {
  const request = new XMLHttpRequest();
  let cancelled!: () => void;
  const done = new Promise<Upload>((resolve, reject) => {
    cancelled = () => reject(new Problem(0, 'cancelled'));
    request.onabort = cancelled;
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () => {
      const headers = new Headers();
      const again = request.getResponseHeader('retry-after');
      if (again) headers.set('retry-after', again);
      const answer = new Response(null, { status: request.status, headers });
      const body = readJson(request.responseText);
      if (answer.ok) resolve(body as Upload);
      else reject(Problem.from(answer, body));
    };
    request.onerror = () => reject(new Problem(0, 'network'));
  });
  const form = new FormData();
  form.append('type', kind);
  if (waveform) form.append('waveform', waveform.join(','));
  if (film) form.append('poster', film.poster, 'poster.jpg');
  if (film?.seconds) form.append('seconds', String(film.seconds));
  form.append('file', file, file.name);
  request.open('POST', '/api/v1/media');
  request.setRequestHeader('Idempotency-Key', key);
  let isSent = false;
  const end = uploadTurns.begin(() => {
    isSent = true;
    request.send(form);
  });
  done.then(end, end);
  const cancel = (): void => {
    if (!isSent) end(); // at once: of many that are given up together none begins in the place of another
    request.abort();
    cancelled(); // one that waits for its turn does not tell that it was aborted
  };
  return { done, cancel };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
