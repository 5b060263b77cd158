/** Enter in fields that are sent or saved by it. */

/** A key of an input method (Chinese, Japanese), as Enter that accepts a word; Safari tells of that one by 229 alone. */
export function isComposed(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}

/** Enter alone; with Shift it breaks the line. */
export function isSending(event: KeyboardEvent): boolean {
  return event.key === 'Enter' && !event.shiftKey && !isComposed(event);
}
