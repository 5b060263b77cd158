/** Whether a person looks at the page: one in sight beside the window he works in shows what comes to nobody. */
export function hasAttention(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus();
}
