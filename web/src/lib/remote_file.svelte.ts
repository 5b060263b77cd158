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

interface Facts {
  url: string | null;
  /** Neither WhatsApp nor the server has it any more, as its message says. */
  expired: boolean;
  /** The server has it, as its message says; any other comes through the phone, which may take minutes. */
  stored?: boolean;
}

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
  /** Of one that was fetched whole: where it is in this page. */
  #whole = $state<string | null>(null);
  readonly #of: () => Facts;
  /** Where to load it from; null while it is known that it does not come. */
  readonly src = $derived.by((): string | null => {
    const { url } = this.#of();
    if (url === null || this.failure !== null) return null;
    return this.#attempt > 0 && !isHere(url) ? `${url}?again=${this.#attempt}` : url;
  });

  /** It is at hand: it needs no turn. Derived, as `src` is: whoever stands in line must not lose its place to any change. */
  readonly #isNear = $derived.by(() => isHere(this.src) || (this.#of().stored === true && this.#attempt === 0));

  /** @param of what its message says of it */
  constructor(of: () => Facts) {
    this.#of = of;
  }

  /** Where what loads by itself is loaded from, once it is its turn. */
  get inTurn(): string | null {
    return this.#turn || this.loaded || this.#isNear ? this.src : null;
  }

  /** Stands in line to load by itself, until it is there or does not come, or the result is called. */
  wait(): (() => void) | undefined {
    if (this.src === null || this.#isNear || this.loaded) return undefined;
    const end = pictureTurns.begin(() => (this.#turn = true), true);
    return () => {
      end();
      this.#turn = false;
    };
  }

  /** Of a film that plays by itself: where all of it is, once it is there. */
  get whole(): string | null {
    return this.src === null || isHere(this.src) ? this.src : this.#whole;
  }

  /**
   * As `wait`, for a film: a browser that plays from the network keeps its connection as long as it plays, so what goes
   * round is fetched whole, and a long one is a long turn even if the server has it.
   */
  waitWhole(): (() => void) | undefined {
    const { src } = this;
    if (src === null || this.whole !== null) return undefined;
    const left = new AbortController();
    const end = pictureTurns.begin(() => void this.#fetchWhole(src, left.signal), !this.#isNear);
    return () => {
      left.abort();
      end();
    };
  }

  async #fetchWhole(src: string, left: AbortSignal): Promise<void> {
    try {
      const answer = await globalThis.fetch(src, { credentials: 'same-origin', signal: left });
      noteStatus(answer.status, answer.url);
      const film = came(answer.status) ? await answer.blob() : null;
      if (left.aborted) return;
      if (film === null) this.#status = answer.status;
      else this.#whole = URL.createObjectURL(film);
    } catch {
      if (!left.aborted) this.#status = 0;
    }
  }

  /** It is not shown any more. */
  drop(): void {
    if (this.#whole !== null) URL.revokeObjectURL(this.#whole);
    this.#whole = null;
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
    else if (this.#reloaded || this.#whole !== null) this.#status = UNREADABLE;
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
    this.drop();
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
