/** The workspace's labels, kept current by the socket. */
import { api, data, requestKey } from '../api/client';
import { pages } from '../api/pages';
import type { Chat, Label } from '../api/types';
import type { Frame } from './frames';
import type { Live } from './live.svelte';
import { Snapshot } from './snapshot';

export const COLOURS: readonly Label['colour'][] = ['teal', 'pink', 'amber', 'violet', 'green', 'red', 'blue', 'olive'];

/** The colour in both themes, with enough contrast for text on the page's ground. */
export function labelColour(label: Label): string {
  return `var(--person-${COLOURS.indexOf(label.colour) + 1})`;
}

export class Labels {
  /** By name. */
  list = $state.raw<readonly Label[]>([]);
  readonly #byId = $derived(new Map(this.list.map((label) => [label.id, label])));
  readonly #snapshot: Snapshot;

  constructor(live: Live) {
    this.#snapshot = new Snapshot(live, (frame) => this.#apply(frame));
  }

  of(chat: Chat): Label[] {
    return chat.label_ids.flatMap((id) => this.#byId.get(id) ?? []);
  }

  get(id: string): Label | undefined {
    return this.#byId.get(id);
  }

  /** Fetches the list and follows it until the result is called. */
  follow(): () => void {
    return this.#snapshot.follow(() => this.load());
  }

  async load(): Promise<void> {
    try {
      await this.#snapshot.take(
        () => pages((after) => data(api.GET('/api/v1/labels', { params: { query: { limit: 200, after } } }))),
        (all) => this.#put(all.items),
      );
    } catch {
      // Chats are shown without labels until they are here.
    }
  }

  #apply(frame: Frame): void {
    if (frame.code === 'LABELS_UPDATE') this.#put(frame.result.items);
  }

  #put(labels: readonly Label[]): void {
    this.list = [...labels].sort((a, b) => a.name.localeCompare(b.name));
  }

  /** @throws Problem 409 when another label has the name */
  async add(name: string, colour: Label['colour']): Promise<void> {
    const params = { header: { 'Idempotency-Key': requestKey() } };
    await data(api.POST('/api/v1/labels', { params, body: { name, colour } }));
  }

  /** @throws Problem 409 when another label has the name */
  async change(id: string, name: string, colour: Label['colour']): Promise<void> {
    await data(api.PATCH('/api/v1/labels/{label_id}', { params: { path: { label_id: id } }, body: { name, colour } }));
  }

  async remove(id: string): Promise<void> {
    await data(api.DELETE('/api/v1/labels/{label_id}', { params: { path: { label_id: id } } }));
  }
}
