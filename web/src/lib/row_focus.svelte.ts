/** The focus among the rows of a virtual list, of which only those in sight are in the document. */
import { tick } from 'svelte';

/** A row far away is drawn after a few frames. */
const MOST_FRAMES = 60;

interface List {
  scrollToIndex(index: number, options: { align: 'nearest' }): void;
}

export class RowFocus {
  /** The row that gets the focus as soon as it is drawn: keys pressed before go on from there. */
  going = $state<number | null>(null);
  readonly #list: () => List | undefined;
  readonly #find: (index: number) => HTMLElement | null | undefined;

  /** @param find what takes the focus of a row, if that is in the document */
  constructor(list: () => List | undefined, find: (index: number) => HTMLElement | null | undefined) {
    this.#list = list;
    this.#find = find;
  }

  /** Where it is or goes, by what has it now; -1 outside of the rows. */
  at(target: EventTarget | null): number {
    const row = (target as Element).closest<HTMLElement>('[data-index]');
    return this.going ?? (row ? Number(row.dataset['index']) : -1);
  }

  /** Puts it on a row as soon as that is drawn, unless a later key leads elsewhere. */
  async go(index: number): Promise<void> {
    this.going = index;
    this.#list()?.scrollToIndex(index, { align: 'nearest' });
    for (let frame = 0; this.going === index && frame < MOST_FRAMES; frame += 1) {
      await tick();
      if (this.going !== index) return;
      const found = this.#find(index);
      found?.focus({ preventScroll: true });
      // a row that is not measured yet is invisible and takes no focus
      if (found?.matches(':focus')) break;
      await new Promise(requestAnimationFrame);
    }
    if (this.going === index) this.going = null;
  }

  /** It goes out of the rows: what was on its way to one stays away. */
  leave(): void {
    this.going = null;
  }
}
