import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImportProblem, LeadImport, Rendered } from '../api/types';
import { msDoubts } from '../i18n/ms_doubts';
import { msImports } from '../i18n/ms_imports';
import { msServer } from '../i18n/ms_server';
import { language } from '../i18n/index.svelte';
import { doubtWords } from './campaign_words';
import { problemWords, refusalOf } from './import_words';

const SHORT: ImportProblem = {
  row: 6,
  value: '012-34',
  reason: "'012-34' is too short for a number of +60",
  causes: [{ kind: 'number_short', values: { code: '60' } }],
};
const LOCKED = {
  reason: 'the file is a workbook locked with a password',
  cause: { kind: 'is_locked', values: {} },
} as unknown as LeadImport;

describe('in Malay', () => {
  beforeAll(() => language.use('ms'));
  afterAll(() => language.use('en'));

  it('a row says why it was not taken, with what stands in it', () => {
    expect(problemWords(SHORT)).toBe(
      '012-34 terlalu pendek untuk nombor +60. Tulis dengan kod negara, seperti +60 12-345 6789.',
    );
    const parts: ImportProblem['causes'] = [
      { kind: 'other_number', values: { phone: '+60123456789' } },
      { kind: 'tags_left_out', values: { most: '100', n: '2', names: 'kl, vip' } },
    ];
    expect(problemWords({ ...SHORT, causes: parts })).toMatch(/\+60123456789: .* 2 tidak dimasukkan: kl, vip\.$/u);
  });

  it('a file says why it was refused', () => {
    expect(refusalOf(LOCKED)).toMatch(/^Buku kerja ini dikunci dengan kata laluan/u);
  });

  it('what is of no known kind has the words of the server', () => {
    expect(problemWords({ ...SHORT, causes: [] })).toContain(`Pelayan berkata: '012-34' is too short`);
    expect(refusalOf({ ...LOCKED, cause: null })).toContain('Pelayan berkata: The file is a workbook');
  });

  it('what of a message is likely not meant so is told', () => {
    const doubts: Rendered['doubts'] = [
      { kind: 'no_fallback', values: { field: 'city' } },
      { kind: 'no_bar', values: { text: '{{name}}' } },
    ];
    const shown: Rendered = { text: '', problems: ['a', 'b'], doubts, lead_id: null, lead_name: null, phone: null };
    expect(doubtWords(shown)).toEqual([
      'Orang tanpa city menerima {city} seperti ditulis. Tulis {city|…} untuk menyatakan gantinya.',
      '{{name}} dihantar seperti ditulis: medan ada satu kurungan, {name}, dan pilihan ada garis tegak, {{a|b}}.',
    ]);
  });

  it('no kind of an import is a kind of something else', () => {
    expect(Object.keys({ ...msImports, ...msDoubts }).filter((kind) => kind in msServer)).toEqual([]);
  });
});

it('in English the sentence of the server is shown', () => {
  expect(problemWords(SHORT)).toBe(SHORT.reason);
  expect(refusalOf(LOCKED)).toBe('The file is a workbook locked with a password');
});
