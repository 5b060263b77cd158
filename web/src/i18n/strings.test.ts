import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse, type AST } from 'svelte/compiler';
import { describe, expect, it } from 'vitest';
import { en } from './en';
import { enAudit } from './en_audit';
import { enNotices } from './en_notices';
import { ms } from './ms';
import { msAudit } from './ms_audit';
import { msNotices } from './ms_notices';

const SOURCE = join(import.meta.dirname, '..');
/** Read by people: on the screen, or by a screen reader. */
const SPOKEN = new Set(['aria-label', 'aria-description', 'alt', 'title', 'placeholder', 'label', 'text']);
/** Names, which are the same in every language. */
const NAMES = new Set(['wafast', 'Esc', 'JID', 'LID', 'English', 'Bahasa', 'Melayu']);

const components = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.svelte'),
);

function words(text: string): string[] {
  return text
    .trim()
    .split(/\s+/u)
    .filter((word) => /\p{L}{2}/u.test(word) && !NAMES.has(word.replaceAll(/[^\p{L}/]/gu, '')));
}

/** Words in a component's markup that come from no catalogue. */
function literals(node: unknown, found: string[] = []): string[] {
  if (Array.isArray(node)) node.forEach((one) => literals(one, found));
  else if (typeof node === 'object' && node !== null && 'type' in node) {
    const one = node as AST.SvelteNode & Record<string, unknown>;
    if (one.type === 'Text') found.push(...words((one as AST.Text).data));
    else if (one.type === 'StyleDirective' || one.type === 'ClassDirective') return found;
    else if (one.type === 'Attribute' && !SPOKEN.has((one as AST.Attribute).name)) return found;
    else for (const value of Object.values(one)) literals(value, found);
  }
  return found;
}

describe('the catalogues', () => {
  it.each(components)('%s shows no word of its own', (name) => {
    const file = join(SOURCE, name);
    const { fragment } = parse(readFileSync(file, 'utf8'), { modern: true, filename: relative(SOURCE, file) });
    expect(literals(fragment)).toEqual([]);
  });

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['all', en, ms],
    ['the audit log', enAudit, msAudit],
    ['notices', enNotices, msNotices],
  ])('have the same words to fill in: %s', (_, english, malay) => {
    const gaps = (text: string): string[] => [...text.matchAll(/\{\w+\}/gu)].map(([gap]) => gap).sort();
    const different = Object.entries(english).filter(([key, text]) => String(gaps(text)) !== String(gaps(malay[key]!)));
    expect(different).toEqual([]);
  });
});
