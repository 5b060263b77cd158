/**
 * Rows of a list of which Tab leads to one, and the arrows from there: with each a stop of its own, what follows was out of
 * reach.
 *
 * @param rows in their order
 * @returns the place a key leads to from the row that has the focus, -1 before the first; undefined for other keys
 */
export function led(event: KeyboardEvent, rows: readonly HTMLElement[]): number | undefined {
  const here = rows.indexOf(event.target as HTMLElement);
  const moves: Record<string, number> = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1 };
  const target = here < 0 ? undefined : moves[event.key];
  return target === undefined ? undefined : Math.min(target, rows.length - 1);
}
