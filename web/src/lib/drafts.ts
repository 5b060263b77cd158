/** What was typed in a chat and not sent yet, while the page is open. */
export class Drafts {
  readonly #byChat = new Map<string, string>();

  get(chat: string): string {
    return this.#byChat.get(chat) ?? '';
  }

  put(chat: string, text: string): void {
    if (text.trim() === '') this.#byChat.delete(chat);
    else this.#byChat.set(chat, text);
  }
}
