/** Which rows of a list are chosen. Ranges are those of the list as it is shown at that moment. */
import { SvelteSet } from 'svelte/reactivity';

export class Selection {
  readonly ids = new SvelteSet<string>();
  /** Where a range starts: what was chosen last. */
  #anchor: string | null = null;

  /** Chooses a row or lets go of it. */
  set(id: string, on: boolean): void {
    if (on) this.ids.add(id);
    else this.ids.delete(id);
    this.#anchor = id;
  }

  /** As `set`, for every row between the one before and this one. */
  setRange(id: string, on: boolean, shown: readonly string[]): void {
    const from = this.#anchor === null ? -1 : shown.indexOf(this.#anchor);
    const to = shown.indexOf(id);
    if (from >= 0 && to >= 0)
      for (const one of shown.slice(Math.min(from, to), Math.max(from, to) + 1)) this.set(one, on);
    this.set(id, on);
  }

  setAll(ids: readonly string[], on: boolean): void {
    for (const id of ids) this.set(id, on);
    this.#anchor = null;
  }

  clear(): void {
    this.ids.clear();
    this.#anchor = null;
  }

  /** Lets go of what is not there any more. */
  keep(exists: (id: string) => boolean): void {
    for (const id of [...this.ids]) if (!exists(id)) this.ids.delete(id);
  }
}
