/** The one way to the API: typed by its OpenAPI document; every refusal becomes a `Problem`. */
import createClient from 'openapi-fetch';
import { Problem } from './problem';
import type { paths } from './schema';

export const api = createClient<paths>({
  baseUrl: '/',
  credentials: 'same-origin',
  // looked up at each call, so that a test can stand in for the network
  fetch: (request) => globalThis.fetch(request),
});

let signedOut: () => void = () => undefined;

/** What to do when the server no longer knows this browser (401 outside of signing in). */
export function onSignedOut(action: () => void): void {
  signedOut = action;
}

/** Whatever asked: an answer that says that the server no longer knows this browser ends its session here. */
export function noteStatus(status: number, url: string): void {
  // 401 under /session is about the words just typed (signing in, the current password), or for its caller to judge
  if (status === 401 && !new URL(url).pathname.startsWith('/api/v1/session')) signedOut();
}

/**
 * Unwraps an answer of `api`.
 *
 * @throws Problem when the server refused or could not be reached
 */
export async function data<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let answer;
  try {
    answer = await call;
  } catch (error) {
    throw new Problem(0, error instanceof Error ? error.message : String(error));
  }
  if (!answer.response.ok) {
    noteStatus(answer.response.status, answer.response.url);
    throw Problem.from(answer.response, answer.error);
  }
  return answer.data as T;
}

/** A value for `Idempotency-Key`; `crypto.randomUUID` is missing where the page came over plain HTTP from another machine. */
export function requestKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
