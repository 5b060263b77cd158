/**
 * The language in use and the words in it. Reading `t` in a component makes it follow a change of language. A catalogue is
 * fetched when its language is wanted, and shown once it is there.
 */
import type { MessageKey, PluralKey } from './en';

export type { MessageKey };
export type Language = 'en' | 'ms';

interface Catalogue {
  words: Record<MessageKey, string>;
  /** What the server said, by its kind; it speaks English. */
  server: Record<string, string>;
}

const FETCHED: Record<Language, () => Promise<Catalogue>> = {
  en: async () => {
    const [{ en }, { enCauses }] = await Promise.all([import('./en'), import('./en_causes')]);
    return { words: en, server: enCauses };
  },
  ms: async () => {
    const [{ ms }, { msServer }, { msImports }, { msDoubts }] = await Promise.all([
      import('./ms'),
      import('./ms_server'),
      import('./ms_imports'),
      import('./ms_doubts'),
    ]);
    return { words: ms, server: { ...msServer, ...msImports, ...msDoubts } };
  },
};
/** Day before month, as Malaysia writes dates in both languages. */
const LOCALES: Record<Language, string> = { en: 'en-GB', ms: 'ms-MY' };
const STORED = 'wafast.language';

function initial(): Language {
  const wanted = localStorage.getItem(STORED) ?? navigator.language.slice(0, 2);
  return wanted === 'ms' ? 'ms' : 'en';
}

let wanted = initial();
let current = $state(initial());
let catalogue = $state.raw<Catalogue>();

async function fetched(): Promise<void> {
  const asked = wanted;
  const found = await FETCHED[asked]();
  // of two wishes the last one holds, whichever came first
  if (asked !== wanted) return;
  [current, catalogue] = [asked, found];
  document.documentElement.lang = asked;
}

export const language = {
  get current(): Language {
    return current;
  },
  /** Has the words of the language this browser was left in; before that none can be said. */
  begin: fetched,
  /** From now on, as soon as its words are there. */
  async use(value: Language): Promise<void> {
    wanted = value;
    localStorage.setItem(STORED, value);
    await fetched();
  },
  get locale(): string {
    return LOCALES[current];
  },
};

type Values = Record<string, string | number>;

/** Letters of scripts that are written from right to left. */
const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/** What people write from right to left stands among our words in a direction of its own, and turns none of them. */
function isolated(value: string | number): string {
  return RIGHT_TO_LEFT.test(String(value)) ? `\u2068${value}\u2069` : String(value);
}

function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/gu, (whole, name: string) => (name in values ? isolated(values[name]!) : whole));
}

/** Reads from a catalogue in every language: the words of a key, where `{name}` is replaced by `values.name`. */
export function wordsOf<Key extends string>(
  catalogues: Record<Language, Record<Key, string>>,
): (key: Key, values?: Values) => string {
  return (key, values = {}) => fill(catalogues[current][key], values);
}

/** The words of a key, where `{name}` is replaced by `values.name`. */
export function t(key: MessageKey, values: Values = {}): string {
  return fill(catalogue!.words[key], values);
}

/**
 * What the server said, in the language in use. It speaks English; other languages have words for each kind.
 *
 * @param kind of a problem, or the cause of an outbox row, a pause or an import; null: none was given
 * @param english the server's own sentence
 * @param values what the words of that kind name
 * @returns null when nothing was said, or nothing the language has words for
 */
export function told(kind: string | null, english: string | null, values: Values = {}): string | null {
  if (current === 'en') return english && sentence(english);
  const words = kind === null ? undefined : catalogue!.server[kind];
  return words === undefined ? null : fill(words, values);
}

/** What the server said, as the beginning of a line: it goes on with its sentences behind a colon elsewhere. */
export function sentence(english: string): string {
  return english.charAt(0).toUpperCase() + english.slice(1);
}

/** Why rows of the outbox ended, where many did so for one cause. */
export function causeWords(cause: string): string {
  return catalogue!.server[cause] ?? cause.replaceAll('_', ' ');
}

/** A number as the language writes it: `2,900`. */
export function amount(n: number): string {
  return new Intl.NumberFormat(LOCALES[current]).format(n);
}

/** As `t`, in the form that fits `n`; `{n}` is the number as the language writes it. */
export function tn(key: PluralKey, n: number): string {
  const form = new Intl.PluralRules(LOCALES[current]).select(n) === 'one' ? 'one' : 'other';
  return fill(catalogue!.words[`${key}_${form}`], { n: amount(n) });
}
