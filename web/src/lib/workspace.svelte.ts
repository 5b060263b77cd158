/** What every page of a workspace shares: its socket, its devices, its labels, and what is being
 * written and sent. Made anew when the workspace is switched. */
import { getContext, setContext } from 'svelte';
import { account } from './account.svelte';
import { Ahead } from './ahead';
import { Devices } from './devices.svelte';
import { Drafts } from './drafts';
import { Labels } from './labels.svelte';
import { Live, liveAddress } from './live.svelte';
import { OutgoingChats } from './outgoing.svelte';
import { quickReplies } from './quick_replies.svelte';
import { Successors } from './successors';

export class Workspace {
  readonly live = new Live(liveAddress(window.location), () => void account.check());
  readonly devices = new Devices(this.live);
  readonly labels = new Labels(this.live);
  readonly drafts = new Drafts(account.session);
  readonly outgoing = new OutgoingChats(this.live, this.drafts);
  readonly ahead = new Ahead(this.live);
  readonly successors = new Successors(this.live, this.drafts, this.outgoing);

  /** Connects, and disconnects when the result is called. */
  open(): () => void {
    const ends = [
      this.devices.follow(),
      this.labels.follow(),
      this.outgoing.follow(),
      this.successors.follow(),
      // what one may do may have changed too
      this.live.subscribe((frame) => frame.code === 'RESYNC' && void account.check()),
    ];
    this.live.start();
    return () => {
      ends.forEach((end) => end());
      this.ahead.drop();
      quickReplies.forget();
      this.live.stop();
    };
  }
}

/** Where it stands in the context of components. */
export const KEY = Symbol('workspace');

export function provideWorkspace(): Workspace {
  return setContext(KEY, new Workspace());
}

export function useWorkspace(): Workspace {
  return getContext(KEY);
}
