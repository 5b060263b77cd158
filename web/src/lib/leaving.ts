/** The way out of a chat. */
import { go } from '../router';

/**
 * To the list of chats: back in the history where that lies beneath the chat, or beneath several that were opened from
 * it, so that Back leads on from there and not into the chat once more.
 *
 * @param list its address
 */
export function toList(list: string): void {
  const beneath = entryBeneath(new URL(list, location.origin));
  // pressed twice it is the same step
  if (beneath) window.navigation.traverseTo(beneath.key);
  else go(list);
}

/** The entry of the list, or undefined where something else lies there or the browser doesn't say. */
function entryBeneath(list: URL): NavigationHistoryEntry | undefined {
  if (!('navigation' in window)) return;
  const { currentEntry } = window.navigation;
  const before = window.navigation.entries().slice(0, currentEntry?.index ?? 0);
  const beneath = before.findLast(({ url }) => url === null || !new URL(url).pathname.startsWith(`${list.pathname}/`));
  return beneath?.url === list.href ? beneath : undefined;
}
