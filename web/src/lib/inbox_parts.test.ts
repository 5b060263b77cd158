import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PARTS } from './inbox_parts';

const COMPONENTS = join(import.meta.dirname, '../components');
/** Fetched with the conversation, where it is shown at all. */
const AT_ONCE = ['DraftButton'];

it('all parts of the inbox that are fetched late are fetched ahead, too', () => {
  const late = ['inbox', 'team', 'gallery'].flatMap((folder) =>
    readdirSync(join(COMPONENTS, folder))
      .map((name) => readFileSync(join(COMPONENTS, folder, name), 'utf8'))
      .flatMap((text) => [...text.matchAll(/import\('.*\/(\w+)\.svelte'\)/gu)].map((found) => found[1])),
  );
  const ahead = Object.keys(PARTS).map((path) => /(\w+)\.svelte$/u.exec(path)?.[1]);
  expect([...ahead, ...AT_ONCE].sort()).toEqual([...new Set(late)].sort());
});
