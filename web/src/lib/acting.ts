/** What a message asks of the conversation around it. */
import type { Message } from '../api/types';

export interface Acting {
  reply: (message: Message) => void;
  react: (message: Message, emoji: string) => void;
  /** any emoji: opens the picker */
  pick: (message: Message) => void;
  forward: (message: Message) => void;
  edit: (message: Message) => void;
  remove: (message: Message) => void;
  /** the chat with somebody else, of the same line */
  write: (number: string) => void;
}
