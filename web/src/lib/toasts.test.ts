import { afterEach, expect, it } from 'vitest';
import { Problem } from '../api/problem';
import { language, told } from '../i18n/index.svelte';
import { explain } from './toasts.svelte';

const refused = (kind: string): Problem =>
  Problem.from(new Response(null, { status: 409 }), { type: `urn:wafast:problem:${kind}`, detail: 'No "x".' });

afterEach(() => language.use('en'));

it('says in Malay what the server says in English, by its kind', async () => {
  expect(explain(refused('not-author'))).toBe('No "x".');
  await language.use('ms');
  expect(explain(refused('not-author'))).toBe('Hanya penulis nota boleh mengubahnya.');
  expect(explain(refused('invalid-request'))).toBe(
    'Permintaan ini tidak dapat diterima. Semak apa yang ditulis atau dipilih.',
  );
  expect(explain(refused('never-heard-of'))).toBe('Tidak berjaya: No "x".');
});

it('says in Malay why a message failed, where there is a cause', async () => {
  expect(told('not_on_whatsapp', 'Not on WhatsApp.')).toBe('Not on WhatsApp.');
  await language.use('ms');
  expect(told('not_on_whatsapp', 'Not on WhatsApp.')).toBe('Nombor ini tiada di WhatsApp.');
  expect(told(null, 'Waiting.')).toBeNull();
});
