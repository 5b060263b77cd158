import { describe, expect, it } from 'vitest';
import { en } from '../i18n/en';
import { language, t, tn } from '../i18n/index.svelte';
import { ms } from '../i18n/ms';
import { isLargeEmoji } from './emoji';
import { isNotice, kindShown, summary } from './names';
import { initials } from './people';
import { phoneMistake, showPhone } from './phone';
import { showSize } from './sizes';

describe('words to fill in', () => {
  it('have what is written from right to left in a direction of its own, and nothing else', () => {
    const said = (name: string): string => t('team.looking', { name });
    expect(said('أمينة')).toBe(said('Aina').replace('Aina', '\u2068أمينة\u2069'));
    expect(said('Aina')).not.toMatch(/[\u2068\u2069]/u);
  });
});

describe('the catalogues', () => {
  it('have the same keys and the same places to fill', () => {
    const places = (text: string): string[] => [...text.matchAll(/\{\w+\}/gu)].map((found) => found[0]).sort();
    for (const key of Object.keys(en) as (keyof typeof en)[])
      expect([key, places(ms[key])]).toEqual([key, places(en[key])]);
    expect(Object.keys(ms).sort()).toEqual(Object.keys(en).sort());
  });

  /** What stood for something that another word is for: sequence, filter, pace, forwarded, opted out, struck through,
   * device; but for the tagline, which says what a device is. */
  const ms_doubles = /jujukan|\burutan|tapisan|\bkadar|dimaju|menarik diri|lorek|(?<!dalam |luar )talian/iu;
  const en_doubles = /\bchoose all|pause between|no way back|(?<!new |whatsapp )\blines?\b/iu;

  it.each([
    ['en', en, en_doubles],
    ['ms', ms, ms_doubles],
  ])('have one word for one thing: %s', (_, words, doubles) => {
    const twice = Object.entries(words).filter(([key, text]) => key !== 'app.tagline' && doubles.test(text));
    expect(twice).toEqual([]);
  });

  it('choose form and language', async () => {
    await language.use('en');
    expect([tn('devices.count', 1), tn('devices.count', 2)]).toEqual(['1 device', '2 devices']);
    await language.use('ms');
    expect(t('nav.devices')).toBe('Peranti');
    await language.use('en');
  });
});

describe('a message without words', () => {
  const kinds = [
    ['image', 'Photo', 'Foto'],
    ['video', 'Video', 'Video'],
    ['voice', 'Voice message', 'Mesej suara'],
    ['audio', 'Audio', 'Audio'],
    ['document', 'Document', 'Dokumen'],
    ['sticker', 'Sticker', 'Pelekat'],
    ['location', 'Location', 'Lokasi'],
    ['contact', 'Contact', 'Kenalan'],
    ['poll', 'Poll', 'Undian'],
    ['event', 'Event', 'Acara'],
    ['call', 'Call', 'Panggilan'],
    ['deleted', 'This message was deleted', 'Mesej ini telah dipadam'],
  ] as const;

  it.each(kinds)('is shown in the list as what it is: %s', async (kind, english, malay) => {
    await language.use('ms');
    expect(summary(kind, '', false, [])).toBe(malay);
    await language.use('en');
    expect(summary(kind, '', false, [])).toBe(english);
  });
});

describe('a message that could not be read', () => {
  it('is waited for in the language of the page', async () => {
    const text = 'Waiting for this message';
    expect(kindShown('unsupported', text)).toBe('waiting');
    expect(kindShown('unsupported', 'constructor')).toBe('unsupported');
    expect(kindShown('unsupported', 'bcallMessage')).toBe('unsupported');
    expect(kindShown('text', text)).toBe('text');
    expect(summary('unsupported', text, false, [])).toBe('Waiting for this message. This may take a while.');
    await language.use('ms');
    expect(summary('unsupported', text, false, [])).toBe('Menunggu mesej ini. Ini mungkin mengambil sedikit masa.');
    await language.use('en');
  });

  it('is on the phone if it goes to no other', () => {
    const text = 'Open this message on your phone';
    expect(kindShown('unsupported', text)).toBe('on_phone');
    expect(summary('unsupported', text, false, [])).toBe('Open this message on your phone.');
  });
});

describe('what became of a group', () => {
  it('says "You" where this line did it, though it came with its name', () => {
    const text = 'Kedai Ali added +60123456789\nKedai Ali reset the invite link';
    expect(summary('system', text, true, [], 'Kedai Ali')).toBe('You added +60123456789 You reset the invite link');
    expect(summary('system', text, false, [], 'Kedai Ali')).toBe(text.replace('\n', ' '));
    expect(summary('system', 'Kedai Alias left', true, [], 'Kedai Ali')).toBe('Kedai Alias left');
    expect(summary('text', 'Kedai Ali is open', true, [], 'Kedai Ali')).toBe('Kedai Ali is open');
  });

  it('is said in the language of the page', async () => {
    const people = ['60111111111@s.whatsapp.net', '900111@lid'];
    const said = { who: '60123456789@s.whatsapp.net', happened: [{ did: 'added', people, words: null }] };
    const mentions = [{ digits: '900111', jid: '60122222222@s.whatsapp.net', name: 'Ali', is_me: false }];
    const line = (fromMe: boolean, sender: string | null): string =>
      summary('system', 'x', fromMe, mentions, sender, said);
    expect(line(false, null)).toBe('+60 12-345 6789 added +60 11-111 1111, Ali');
    await language.use('ms');
    expect(line(false, 'Siti')).toBe('Siti menambah +60 11-111 1111, Ali');
    expect(line(true, 'Siti')).toBe('Anda menambah +60 11-111 1111, Ali');
    const left = { who: null, happened: [{ did: 'left', people: [], words: null }] };
    expect(summary('system', 'x', false, [], null, left)).toBe('Seseorang keluar');
    const newer = { who: null, happened: [{ did: 'constructor', people: [], words: null }] };
    expect(summary('system', 'Siti did it', false, [], 'Siti', newer)).toBe('Siti did it');
    await language.use('en');
  });

  it('was written by nobody, as a call was', () => {
    expect((['system', 'call', 'text', 'deleted'] as const).map(isNotice)).toEqual([true, true, false, false]);
  });
});

describe('phone numbers', () => {
  it.each([
    ['', 'phone.empty'],
    ['call me', 'phone.letters'],
    ['12345', 'phone.short'],
    ['1234567890123456', 'phone.long'],
    ['+60 12-345 6789', null],
    ['012-345 6789', null],
  ])('%j: %s', (typed, mistake) => expect(phoneMistake(typed)).toBe(mistake));

  it('are shown in groups', () => {
    expect(showPhone('+60123456789')).toBe('+60 12-345 6789');
    expect(showPhone('+601112345678')).toBe('+60 11-1234 5678');
  });
});

it('emojis alone are large, words and digits are not', () => {
  expect(['👍', '❤️ 👨‍👩‍👧', '🇲🇾'].map(isLargeEmoji)).toEqual([true, true, true]);
  expect(['1', 'ok 👍', '👍👍👍👍', ''].map(isLargeEmoji)).toEqual([false, false, false, false]);
});

it('initials come from any script, and from numbers', () => {
  expect(['Farid bin Hassan', '美玲', '+60 12-345 6789', '🙂', ''].map(initials)).toEqual(['FH', '美', '89', '?', '?']);
});

it('sizes are short', () => {
  expect([999, 1500, 482_133, 12_000_000].map(showSize)).toEqual(['999 B', '1.5 KB', '482 KB', '12 MB']);
});
