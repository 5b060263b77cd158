import { describe, expect, it } from 'vitest';
import { message } from '../testing/samples';
import { copyText } from './carried';
import { parse, plainText, source } from './markup';
import { cutAtMentions, withNames } from './mentions';
import { named, summary } from './names';

const people = [
  { digits: '167211234567890', name: 'Aisyah' },
  { digits: '60123', name: '*<b>Ali</b>*' },
];

describe('mentions', () => {
  it('are found where the server finds them', () => {
    expect(withNames('@167211234567890, hi (@60123)@60123', people)).toBe('@Aisyah, hi (@*<b>Ali</b>*)@*<b>Ali</b>*');
    for (const text of ['a@60123', '@601234', '60123', '@ 60123', '@999999', ''])
      expect(withNames(text, people)).toBe(text);
    expect(cutAtMentions('Hi @60123', people)).toEqual([
      { kind: 'text', text: 'Hi ' },
      { kind: 'mention', text: '@60123', name: '*<b>Ali</b>*' },
    ]);
  });

  it('of what became of a group stand behind + or nothing', () => {
    const mentions = people.map((one) => ({ ...one, jid: `${one.digits}@lid`, is_me: false }));
    const said = '+60123 removed 167211234567890\nand +60199 @ 601';
    expect(summary('system', said, false, mentions)).toBe('*<b>Ali</b>* removed Aisyah and +60199 @ 601');
    expect(summary('text', said, false, mentions)).toBe('+60123 removed 167211234567890 and +60199 @ 601');
  });

  it('stand in marked text, and the marks in a name are letters', () => {
    const text = '*Ask @60123* or `@60123` https://x.my/@60123';
    expect(parse(text, people)[0]).toEqual({
      kind: 'bold',
      children: [
        { kind: 'text', text: 'Ask ' },
        { kind: 'mention', text: '@60123', name: '*<b>Ali</b>*' },
      ],
    });
    expect(source(parse(text, people))).toBe(text);
    expect(plainText(text, people)).toBe('Ask @*<b>Ali</b>* or @60123 https://x.my/@60123');
  });

  it('are called as everybody else is, and we are You', () => {
    const mention = { digits: '60123', jid: '60123456789@s.whatsapp.net', name: 'Ali', is_me: false };
    expect(named([mention, { ...mention, name: ' ' }, { ...mention, is_me: true }]).map((one) => one.name)).toEqual([
      'Ali',
      '+60 12-345 6789',
      'You',
    ]);
    const said = message({ id: '1', message_text: 'Hi @60123', mentions: [mention] });
    expect(summary('text', said.message_text, false, said.mentions)).toBe('Hi @Ali');
    expect(copyText(said)).toBe('Hi @Ali');
  });
});
