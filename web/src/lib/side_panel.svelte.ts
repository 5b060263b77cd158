/** The panel beside a conversation: open or not stays as it was left; where there is no room it is a sheet. */
import { MediaQuery } from 'svelte/reactivity';

const STORED = 'wafast.side_panel';
/** List, conversation and panel side by side. */
const roomy = new MediaQuery('min-width: 1200px');

class SidePanel {
  #wanted = $state(localStorage.getItem(STORED) === 'open');
  #sheet = $state(false);

  get isSheet(): boolean {
    return !roomy.current;
  }

  get isOpen(): boolean {
    return roomy.current ? this.#wanted : this.#sheet;
  }

  set isOpen(open: boolean) {
    if (!roomy.current) {
      this.#sheet = open;
      return;
    }
    this.#wanted = open;
    localStorage.setItem(STORED, open ? 'open' : '');
  }
}

export const sidePanel = new SidePanel();
