/** A file on its way to the server: `fetch` cannot tell how far it is, so these requests are made the older way. */
import { noteStatus } from './client';
import { Problem } from './problem';

/**
 * Milliseconds without a byte, or without an answer to the last one, after which a line is given up. Proxies in front of
 * the server wait as long, and a telephone that changes its network is back before.
 */
const LONGEST_SILENCE = 60_000;

export interface Transfer<T> {
  done: Promise<T>;
  cancel: () => void;
}

/**
 * Posts a form; it begins to leave at once.
 *
 * @param path below the server's address
 * @param progress told the share that has left, from 0 to 1
 * @param headers of the request
 * @throws (done) Problem when the server refuses, cannot be reached or falls silent (status 0), or `cancel` was called
 */
export function transfer<T>(
  path: string,
  form: FormData,
  progress: (share: number) => void,
  headers: Record<string, string> = {},
): Transfer<T> {
  const request = new XMLHttpRequest();
  let silence: ReturnType<typeof setTimeout> | undefined;
  let cancel!: () => void;
  const done = new Promise<T>((resolve, reject) => {
    const end = (reason: string): void => {
      clearTimeout(silence);
      reject(new Problem(0, reason));
      request.abort();
    };
    const heard = (): void => {
      clearTimeout(silence);
      silence = setTimeout(() => end('silence'), LONGEST_SILENCE);
    };
    cancel = () => end('cancelled');
    heard();
    request.upload.onprogress = (event) => {
      heard();
      if (event.lengthComputable) progress(event.loaded / event.total);
    };
    request.onerror = () => end('network');
    request.onload = () => {
      clearTimeout(silence);
      noteStatus(request.status, request.responseURL);
      const body = readJson(request.responseText);
      if (request.status < 300) resolve(body as T);
      else reject(Problem.from(answerOf(request), body));
    };
  });
  request.open('POST', path);
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  request.send(form);
  return { done, cancel };
}

function answerOf(request: XMLHttpRequest): Response {
  const headers = new Headers();
  const again = request.getResponseHeader('retry-after');
  if (again) headers.set('retry-after', again);
  return new Response(null, { status: request.status, headers });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
