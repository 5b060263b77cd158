import { afterEach, expect, it } from 'vitest';
import { language } from '../i18n/index.svelte';
import { optOutWords } from './opt_out_words';

afterEach(() => language.use('en'));

it.each([
  ['en', ['by a person', 'imported', 'replied STOP!', 'asked on the phone']],
  ['ms', ['oleh seseorang', 'diimport', 'membalas STOP!', 'asked on the phone']],
] as const)(
  'says why somebody wants nothing more in %s, and what a person wrote of it as it is',
  async (wanted, words) => {
    await language.use(wanted);
    expect(['by a person', 'imported', 'replied STOP!', 'asked on the phone'].map(optOutWords)).toEqual(words);
  },
);
