/**
 * The newest messages of the chat that is about to be opened, asked for while its row is still being pressed: the page
 * needs that time, and longer, to draw what stands around them.
 */
import type { MessageWindow } from '../api/types';
import { isOutbox, type Frame } from './frames';
import type { Live } from './live.svelte';
import { messagePage } from './message_page';

/** A press that opened nothing is forgotten after this long. Milliseconds. */
const LASTS = 10_000;

export interface Asked {
  page: Promise<MessageWindow>;
  /** What came of the chat's messages since they were asked for, to be applied on top. */
  frames: readonly Frame[];
}

export class Ahead {
  #chat: string | null = null;
  #asked: Asked | null = null;
  #end: () => void = () => undefined;
  readonly #live: Live;

  constructor(live: Live) {
    this.#live = live;
  }

  /** A chat's row is pressed. */
  ask(chat: string): void {
    if (chat === this.#chat) return;
    this.drop();
    const frames: Frame[] = [];
    const asked = { page: messagePage(chat), frames };
    const unsubscribe = this.#live.subscribe((frame) => {
      if (isOfMessages(frame, chat)) frames.push(frame);
      else if (isOfMore(frame, chat)) this.drop();
    });
    const timer = setTimeout(() => this.drop(), LASTS);
    [this.#chat, this.#asked] = [chat, asked];
    this.#end = () => {
      unsubscribe();
      clearTimeout(timer);
    };
    asked.page.catch(() => this.#asked === asked && this.drop());
  }

  /** What was asked for, if it was this chat's: its frames are the taker's from here on. */
  take(chat: string): Asked | null {
    const asked = chat === this.#chat ? this.#asked : null;
    this.drop();
    return asked;
  }

  /** Nobody will open it. */
  drop(): void {
    this.#end();
    this.#chat = this.#asked = null;
    this.#end = () => undefined;
  }
}

function isOfMessages(frame: Frame, chat: string): boolean {
  switch (frame.code) {
    case 'NEW_MESSAGE':
    case 'MESSAGE_GONE':
      return frame.result.chat_id === chat;
    case 'MESSAGE_STATUS':
      return frame.result.chat_id === chat && !isOutbox(frame.result);
    default:
      return false;
  }
}

/** After these the messages have to be asked for once more. */
function isOfMore(frame: Frame, chat: string): boolean {
  if (frame.code === 'CHAT_GONE') return frame.result.id === chat || frame.result.became === chat;
  return frame.code === 'RESYNC';
}
