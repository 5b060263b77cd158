/** Words that were found, marked where they stand on the page: by the browser, so that nothing of the page changes. */

/** `::highlight()` names it so. */
const NAME = 'found';

/** Where words stand in the texts of messages on the page. Each message has its own, by its id. */
export function places(root: Element, found: ReadonlyMap<string, readonly string[]>): Range[] {
  const ranges: Range[] = [];
  for (const row of root.querySelectorAll<HTMLElement>('[data-message]')) {
    const words = found.get(row.dataset['message']!) ?? [];
    if (words.length === 0) continue;
    for (const text of row.querySelectorAll('.words')) ranges.push(...within(text, words));
  }
  return ranges;
}

function* within(element: Element, words: readonly string[]): Generator<Range> {
  const nodes = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (nodes.nextNode()) {
    const node = nodes.currentNode as Text;
    for (const word of words) {
      for (let at = node.data.indexOf(word); at >= 0; at = node.data.indexOf(word, at + word.length)) {
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + word.length);
        yield range;
      }
    }
  }
}

/** Marks them, also in rows that are drawn later, until the result is called; a browser that can't marks nothing. */
export function mark(root: Element, found: ReadonlyMap<string, readonly string[]>): () => void {
  if (!('highlights' in CSS)) return () => undefined;
  let frame = 0;
  const draw = (): void => {
    frame = 0;
    CSS.highlights.set(NAME, new Highlight(...places(root, found)));
  };
  const observer = new MutationObserver(() => (frame ||= requestAnimationFrame(draw)));
  observer.observe(root, { childList: true, subtree: true });
  draw();
  return () => {
    observer.disconnect();
    cancelAnimationFrame(frame);
    CSS.highlights.delete(NAME);
  };
}
