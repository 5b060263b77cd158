/**
 * Tells the server which chat this page shows and whether its person types there; colleagues see it. What is not said
 * again ends there by itself, so it is said again while it lasts.
 */
import type { Live } from './live.svelte';

/** The server forgets after 45 s: one may be lost. Milliseconds. */
const AGAIN_MS = 20_000;
const TYPING_ENDS_MS = 5000;

/** The chat shown last; one that is left later must not take it back. */
let current: Looking | null = null;

export class Looking {
  #typing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #live: Live;
  readonly #chat: string;

  constructor(live: Live, chat: string) {
    this.#live = live;
    this.#chat = chat;
  }

  /** Says it until the result is called. */
  follow(): () => void {
    current = this;
    document.addEventListener('visibilitychange', this.say);
    const again = setInterval(this.say, AGAIN_MS);
    this.say();
    return () => {
      document.removeEventListener('visibilitychange', this.say);
      clearInterval(again);
      clearTimeout(this.#timer);
      if (current !== this) return;
      current = null;
      this.#live.say({ chat_id: null, is_typing: false });
    };
  }

  /** To be called with what stands in the field after every key; nothing in it is nothing typed. */
  typed(text: string): void {
    clearTimeout(this.#timer);
    if (text !== '') this.#timer = setTimeout(() => this.#type(false), TYPING_ENDS_MS);
    this.#type(text !== '');
  }

  #type(typing: boolean): void {
    if (this.#typing === typing) return;
    this.#typing = typing;
    this.say();
  }

  /** A page nobody sees looks at nothing. */
  readonly say = (): void => {
    const seen = document.visibilityState === 'visible';
    this.#live.say({ chat_id: seen ? this.#chat : null, is_typing: seen && this.#typing });
  };
}
