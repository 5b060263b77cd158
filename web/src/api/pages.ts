/** The API gives lists in pages, each with where the next one begins. */

export interface Page<T> {
  items: T[];
  /** null: there is no more */
  next: string | null;
}

/** One page after the other until there are `wanted`, or no more: as one page. */
export async function pages<T>(
  ask: (after: string | undefined) => Promise<Page<T>>,
  wanted = Infinity,
): Promise<Page<T>> {
  const items: T[] = [];
  let next: string | null = null;
  do {
    const page: Page<T> = await ask(next ?? undefined);
    items.push(...page.items);
    next = page.next;
  } while (next !== null && items.length < wanted);
  return { items, next };
}
