/** A message's file on its way into the page: whether it is there, why not, and trying again. */
import { noteStatus } from '../api/client';
import type { Message } from '../api/types';
import { t, type MessageKey } from '../i18n/index.svelte';
import { toasts } from './toasts.svelte';
import { pictureTurns } from './turns';

/** What is told of a file that did not come, by the status of the answer; 0 is no answer at all. */
const WORDS: Record<number, MessageKey> = {
  0: 'media.unreachable',
  409: 'media.offline',
  410: 'media.expired',
  507: 'media.no_room',
};
/** It came, and this browser can't show it. */
const UNREADABLE = 200;

export class RemoteFile {
  /** It is there. */
  loaded = $state(false);
  /** The server fetches it, because somebody asked for it. */
  fetching = $state(false);
  /** It may load by itself now. */
  #turn = $state(false);
  #attempt = $state(0);
  #status = $state<number | null>(null);
  /** Loaded once more by itself, which is done once. */
  #reloaded = false;
  readonly #of: () => { url: string | null; expired: boolean };
  /** Where to load it from; null while it is known that it does not come. */
  readonly src = $derived.by((): string | null => {
    const { url } = this.#of();
    if (url === null || this.failure !== null) return null;
    return this.#attempt > 0 && !isHere(url) ? `${url}?again=${this.#attempt}` : url;
  });

  /** @param of the file's address, and whether the message says that WhatsApp has it no more */
  constructor(of: () => { url: string | null; expired: boolean }) {
    this.#of = of;
  }

  /** Where what loads by itself is loaded from, once it is its turn. */
  get inTurn(): string | null {
    return this.#turn || this.loaded || isHere(this.src) ? this.src : null;
  }

  /** Stands in line to load by itself, until it is there or does not come, or the result is called. */
  wait(): (() => void) | undefined {
    const { src } = this;
    if (src === null || isHere(src) || this.loaded) return undefined;
    const end = pictureTurns.begin(() => (this.#turn = true), false);
    return () => {
      end();
      this.#turn = false;
    };
  }

  /** Why it is not there, in words. */
  get failure(): string | null {
    if (this.loaded) return null;
    if (this.#status === null) return this.#attempt === 0 && this.#of().expired ? t('media.expired') : null;
    return t(this.#status === UNREADABLE ? 'media.unreadable' : (WORDS[this.#status] ?? 'media.failed'));
  }

  /** An element could not load it: asks why. It may be there by now; then it is loaded once more. */
  async failed(): Promise<void> {
    const { url } = this.#of();
    if (url === null || this.failure !== null) return;
    this.loaded = false;
    const status = await this.#ask(url);
    if (!came(status)) this.#status = status;
    else if (this.#reloaded) this.#status = UNREADABLE;
    else {
      this.#reloaded = true;
      this.#attempt += 1;
    }
  }

  /** Has the server fetch it before it is loaded, so that waiting can be shown; gives whether it is there. */
  async fetch(): Promise<boolean> {
    const src = this.src;
    if (this.loaded || src === null || this.fetching) return this.loaded;
    this.fetching = true;
    const status = await this.#ask(src);
    this.fetching = false;
    this.loaded = came(status);
    if (!this.loaded) this.#status = status;
    return this.loaded;
  }

  /** Saves it on this computer. The browser saves what is at the address, a refusal too: so the file must be there first. */
  async save(name: string): Promise<void> {
    if (this.failure !== null) this.again();
    const { url } = this.#of();
    if (url === null || !(await this.fetch())) return;
    const link = document.createElement('a');
    [link.href, link.download] = [url, name];
    link.click();
  }

  /** A person wants it tried again; WhatsApp is asked then, whatever it said before. */
  again(): void {
    this.#status = null;
    this.loaded = false;
    this.#reloaded = false;
    this.#attempt += 1;
  }

  /** The status of the answer; one byte is enough to know. */
  async #ask(url: string): Promise<number> {
    if (isHere(url)) return 200; // it is in this page, and its policy lets nothing but the server be asked
    try {
      const answer = await globalThis.fetch(url, { headers: { Range: 'bytes=0-0' }, credentials: 'same-origin' });
      noteStatus(answer.status, answer.url);
      await answer.body?.cancel();
      return answer.status;
    } catch {
      return 0;
    }
  }
}

/** Saves the file of a message where nothing else is shown of it; why it did not come is said in a notice. */
export async function save(message: Message): Promise<void> {
  const file = new RemoteFile(() => ({ url: message.media_url, expired: false }));
  await file.save('');
  if (file.failure !== null) toasts.failed(file.failure);
}

/** What is taken off the page is waited for no longer: its connection is free again. */
export function stopped(element: HTMLImageElement | HTMLVideoElement): () => void {
  return () => {
    element.removeAttribute('src');
    if (element instanceof HTMLVideoElement) element.load();
  };
}

/** Whether an address is of something in this page. */
function isHere(url: string | null): boolean {
  return url !== null && url.startsWith('blob:');
}

function came(status: number): boolean {
  return status >= 200 && status < 300;
}
