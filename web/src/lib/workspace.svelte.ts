/** What every page of a workspace shares: its socket and its devices. Made anew when the workspace is switched. */
import { getContext, setContext } from 'svelte';
import { account } from './account.svelte';
import { Devices } from './devices.svelte';
import { Live, liveAddress } from './live.svelte';

export class Workspace {
  readonly live = new Live(liveAddress(window.location), () => void account.check());
  readonly devices = new Devices(this.live);

  /** Connects, and disconnects when the result is called. */
  open(): () => void {
    const end = this.devices.follow();
    this.live.start();
    return () => {
      end();
      this.live.stop();
    };
  }
}

const KEY = Symbol('workspace');

export function provideWorkspace(): Workspace {
  return setContext(KEY, new Workspace());
}

export function useWorkspace(): Workspace {
  return getContext(KEY);
}
