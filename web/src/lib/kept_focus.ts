/**
 * The focus of whoever works by keyboard. A button that takes itself away, or its row, would leave it nowhere: what stood
 * around it gets it then.
 */

/** What can get it; a field would bring up a phone's keyboard. */
const PRESSABLE = 'button:not(:disabled), a[href], [tabindex="0"]';
/** What lies over the page has a focus of its own. */
const LAYER = '[role=dialog], [role=alertdialog], [role=menu]';
/** A dialog that asks comes after what opened it: of so many it is known where they stood. */
const KNOWN = 6;
/** Whoever takes something away mostly knows better where to go, and does so within this time. Milliseconds. */
const BEFORE = 100;

/** Keeps the focus in a part of the page, and in what lies over it, until the result is called. */
export function keptFocus(part: HTMLElement): () => void {
  /** Each that had the focus, the last first, with all it stood in. */
  let ways: Element[][] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  function focused({ target }: FocusEvent): void {
    const end = (target as Element).closest(LAYER) ?? part;
    const way: Element[] = [];
    for (let at = target as Element | null; at && at !== end; at = at.parentElement) way.push(at);
    if (end.contains(target as Element)) ways = [[...way, end], ...ways].slice(0, KNOWN);
    else ways = [];
  }

  function isLost(): boolean {
    return document.activeElement === document.body && ways[0]?.[0]?.isConnected === false;
  }

  function soon(): void {
    clearTimeout(timer);
    timer = setTimeout(() => isLost() && next()?.focus({ preventScroll: true }), BEFORE);
  }

  /** From the nearest that is left of what it stood in, or of what had the focus before. */
  function next(): HTMLElement | undefined {
    const left = ways.map((way) => way.filter((one) => one.isConnected)).find((way) => way.length > 0) ?? [];
    for (const one of left) {
      const around = [one, one.parentElement].find((it) => it?.matches(PRESSABLE));
      const found = around ?? [...one.querySelectorAll(PRESSABLE)].find((it) => it.checkVisibility());
      if (found) return found as HTMLElement;
    }
    return undefined;
  }

  /** Somebody pressed beside everything: what goes away later has no focus to lose. */
  function pressed(): void {
    if (document.activeElement === document.body && !isLost()) ways = [];
  }

  const observer = new MutationObserver(() => isLost() && soon());
  observer.observe(document.body, { childList: true, subtree: true });
  document.addEventListener('focusin', focused);
  document.addEventListener('focusout', soon);
  document.addEventListener('pointerup', pressed);
  return () => {
    clearTimeout(timer);
    observer.disconnect();
    document.removeEventListener('focusin', focused);
    document.removeEventListener('focusout', soon);
    document.removeEventListener('pointerup', pressed);
  };
}
