/**
 * The parts of the inbox that are fetched when they are first wanted, fetched while the page is at rest: whoever opens one
 * without a connection, in a lift or on a train, has it.
 */
import type { Live } from './live.svelte';
import { fetchAhead } from './parts';

export const PARTS = import.meta.glob([
  '../components/gallery/GalleryDialog.svelte',
  '../components/inbox/{ChatSearch,ContactCards,DeviceFinder,EmojiPicker,ForwardDialog,LinkCard,MessageDetails}.svelte',
  '../components/inbox/{NewChatDialog,PinnedBar,PlaceCard,PollCard,QuickRepliesDialog,ReactionList}.svelte',
  '../components/inbox/{ShortcutsDialog,SoundBar,Viewer,VoiceRecorder}.svelte',
  '../components/team/{GroupMembers,LabelsDialog}.svelte',
]);
/** Nothing of the first look at a page waits for these. Milliseconds. */
const REST = 3000;

const left = Object.values(PARTS);
let isGoing = false;

/** Fetches one after the other whenever there is a connection, until the result is called. */
export function fetchParts(live: Live): () => void {
  let isWanted = !savesData();

  async function go(): Promise<void> {
    if (isGoing) return;
    isGoing = true;
    await new Promise((rested) => setTimeout(rested, REST));
    for (; isWanted && live.status === 'live' && left.length > 0; left.shift()) {
      await idle();
      if (!(await fetchAhead(left[0]!))) break; // the next connection brings it, or whoever opens it hears why not
    }
    isGoing = false;
  }

  const end = live.whenLive(() => void go());
  if (live.status === 'live') void go();
  return () => {
    isWanted = false;
    end();
  };
}

/** The browser was asked to load nothing that nobody wants. */
function savesData(): boolean {
  return (navigator as { connection?: { saveData?: boolean } }).connection?.saveData === true;
}

function idle(): Promise<unknown> {
  return new Promise((done) =>
    'requestIdleCallback' in window ? requestIdleCallback(done) : setTimeout(done, REST / 10),
  );
}
