/** What the team answers often: fetched when somebody types a slash, shared by all composers of the page. */
import { api, data, requestKey } from '../api/client';
import { pages } from '../api/pages';
import type { QuickReply } from '../api/types';
import { Latest } from './latest';

const PAGE = 100;

class QuickReplies {
  list = $state.raw<readonly QuickReply[]>([]);
  /** They came at least once. */
  known = $state(false);
  readonly #workspace = new Latest();

  /** Fetches them anew; colleagues may have changed some. What is there is shown meanwhile. */
  async load(): Promise<void> {
    const isHere = this.#workspace.current();
    const ask = (after: string | undefined) =>
      data(api.GET('/api/v1/quick-replies', { params: { query: { limit: PAGE, after } } }));
    const { items } = await pages(ask);
    if (isHere()) [this.list, this.known] = [items, true];
  }

  /** Another workspace, or person, has others. */
  forget(): void {
    this.#workspace.drop();
    [this.list, this.known] = [[], false];
  }

  /** @param id null makes a new one */
  async save(id: string | null, name: string, text: string): Promise<void> {
    if (id === null) {
      const params = { header: { 'Idempotency-Key': requestKey() } };
      await data(api.POST('/api/v1/quick-replies', { params, body: { name, text } }));
    } else {
      const params = { path: { reply_id: id } };
      await data(api.PATCH('/api/v1/quick-replies/{reply_id}', { params, body: { name, text } }));
    }
    await this.load();
  }

  async remove(id: string): Promise<void> {
    await data(api.DELETE('/api/v1/quick-replies/{reply_id}', { params: { path: { reply_id: id } } }));
    await this.load();
  }
}

export const quickReplies = new QuickReplies();

/** What was typed after the slash, or null when this is no request for a quick reply. */
export function asked(text: string): string | null {
  return /^\/([\p{L}\p{N}\p{M}_-]*)$/u.exec(text)?.[1]?.toLowerCase() ?? null;
}

/** Those that fit: by name first, then by a word in their text. */
export function matching(list: readonly QuickReply[], wanted: string): QuickReply[] {
  const named = list.filter((one) => one.name.startsWith(wanted));
  const inText = list.filter((one) => !named.includes(one) && one.text.toLowerCase().includes(wanted));
  return [...named, ...inText];
}

/** `{name}` is the chat's name, `{name|friend}` has another word where there is none; all other braces stay. */
export function filled(text: string, name: string): string {
  return text.replace(/\{name(?:\|([^{}]*))?\}/gu, (_, fallback: string | undefined) => name || fallback || '');
}
