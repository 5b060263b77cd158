/** The parts of the app that are fetched when they are first wanted, and what is done when one doesn't come. */
import { Problem } from '../api/problem';
import { toasts } from './toasts.svelte';

const ENTRY = 'script[type=module]';
const AGAIN_MS = 3000;

let looking = false;
/** So many parts that nobody has opened are on their way. */
let ahead = 0;

/**
 * A part didn't come. After an update of the server those of the old build are gone, and what is there now is a reload
 * away; without a connection a reload would lose the page as well.
 */
export async function partMissing(): Promise<void> {
  // a chat asks for the same part once for each message that shows it
  if (looking || ahead > 0) return;
  looking = true;
  try {
    if (await replaced()) location.reload();
    else toasts.error(new Problem(0, 'a part of the app did not come'));
  } finally {
    looking = false;
  }
}

/** Whether the server has another build than this page's. */
async function replaced(): Promise<boolean> {
  try {
    const answer = await fetch('/', { cache: 'no-store' });
    const entry = entryOf(new DOMParser().parseFromString(await answer.text(), 'text/html'));
    return answer.ok && entry !== null && entry !== entryOf(document);
  } catch {
    return false;
  }
}

function entryOf(page: Document): string | null {
  return page.querySelector(ENTRY)?.getAttribute('src') ?? null;
}

/**
 * A part that somebody opened.
 *
 * @param close takes back that it is open when it doesn't come, so that the next press asks for it again
 */
export function openPart<Part>(part: Promise<Part>, close: () => void): Promise<Part> {
  part.catch(close);
  return part;
}

/** A part that nobody has opened yet; gives whether it came, and says nothing where it didn't. */
export async function fetchAhead(part: () => Promise<unknown>): Promise<boolean> {
  ahead += 1;
  try {
    await part();
    return true;
  } catch {
    return false;
  } finally {
    ahead -= 1;
  }
}

/** A stylesheet is asked for once only, and its part would come without it the next time: it is fetched until it comes. */
export function styleAgain({ target }: Event): void {
  if (!(target instanceof HTMLLinkElement) || target.rel !== 'stylesheet') return;
  setTimeout(() => target.replaceWith(target.cloneNode()), AGAIN_MS);
}
