/** The API and its socket as the stores meet them, without a network: answers by route, frames on demand. */
import { vi } from 'vitest';
import type { Frame } from '../lib/frames';
import type { Live } from '../lib/live.svelte';

type Answer = (body: unknown, url: URL) => unknown;

export class FakeServer {
  readonly calls: { route: string; body: unknown }[] = [];
  readonly #routes = new Map<string, Answer>();
  readonly #listeners = new Set<(frame: Frame) => void>();
  readonly #opened = new Set<() => void>();
  #sequence = 0;
  readonly live = {
    status: 'live',
    subscribe: (listener: (frame: Frame) => void) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    },
    whenLive: (action: () => void) => {
      this.#opened.add(action);
      return () => this.#opened.delete(action);
    },
  } as unknown as Live;

  constructor() {
    vi.stubGlobal('fetch', (request: Request) => this.#answer(request));
  }

  /** @param route `GET /path` below /api/v1; the answer is the body, or a Response */
  on(route: string, answer: Answer): this {
    this.#routes.set(route, answer);
    return this;
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const route = `${request.method} ${url.pathname.replace('/api/v1', '')}`;
    const text = await request.text();
    const body: unknown = text === '' ? null : JSON.parse(text);
    this.calls.push({ route, body });
    const found = this.#routes.get(route);
    const result = found ? await found(body, url) : { items: [], next: null };
    const response = result instanceof Response ? result : Response.json(result);
    return Object.defineProperty(response, 'url', { value: request.url });
  }

  /** The socket is open again. */
  connect(): void {
    for (const action of [...this.#opened]) action();
  }

  frame<Code extends Frame['code']>(code: Code, result: Extract<Frame, { code: Code }>['result']): void {
    const frame = { id: `e:${++this.#sequence}`, code, message: '', result } as Frame;
    for (const listener of [...this.#listeners]) listener(frame);
  }
}

/** Lets everything that was answered already take its course. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve, 0));
}

/** After the next drawing, when frames have been applied. */
export async function drawn(): Promise<void> {
  await new Promise((resolve) => requestAnimationFrame(resolve));
}
