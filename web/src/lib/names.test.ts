import { describe, expect, it } from 'vitest';
import { chat, message } from '../testing/samples';
import type { Quoted } from '../api/types';
import { activity, chatName, elsewhere, senderName } from './names';

const UNSEEN = [' ', '\n\t', '\u200b\u200d', '\u3164', '\u2800', '\u202e', ''];

describe('a name nobody can see', () => {
  it.each(UNSEEN)('is none: %j', (name) => {
    expect(chatName(chat({ id: '7', chat_name: name, phone: '+60123456789' }))).toBe('+60 12-345 6789');
    const from = message({ id: '7-1', sender_name: name, sender_jid: '60123456789@s.whatsapp.net' });
    expect(senderName(from)).toBe('+60 12-345 6789');
  });

  it.each(['A', '陳', '👍', 'முருகன்', '…', '7'])('is one: %s', (name) => {
    expect(chatName(chat({ id: '7', chat_name: name }))).toBe(name);
  });
});

it('who types or records in a group is called by name, else by number, and never by a JID', () => {
  const group = chat({ id: '7', is_group: true, typing: '60123456789@s.whatsapp.net', typing_state: 'composing' });
  expect(activity({ ...group, typing_name: 'Farid' })).toBe('Farid is typing…');
  expect(activity(group)).toBe('+60 12-345 6789 is typing…');
  expect(activity({ ...group, typing: '98765432109@lid', typing_state: 'recording' })).toBe(
    'recording a voice message…',
  );
  expect(activity({ ...group, is_group: false, typing_state: 'recording' })).toBe('recording a voice message…');
  expect(activity({ ...group, typing: null })).toBe('');
});

describe('what is answered and was written elsewhere', () => {
  const quoted: Quoted = {
    message_type: 'text',
    message_text: 'Hello',
    mentions: [],
    sender_jid: null,
    sender_name: null,
    from_me: false,
    chat_jid: null,
    chat_name: null,
  };

  it('says where', () => {
    const group = { ...quoted, chat_jid: '120363012345678901@g.us' };
    expect([quoted, { ...quoted, chat_jid: 'status@broadcast' }, group].map(elsewhere)).toEqual([
      '',
      'Status',
      'Another group',
    ]);
    expect(elsewhere({ ...group, chat_name: 'Family' })).toBe('Family');
  });

  it('is nobody’s where nobody is known', () => {
    expect(senderName(quoted)).toBe('');
    expect(senderName({ ...quoted, sender_jid: '60123456789@s.whatsapp.net' })).toBe('+60 12-345 6789');
    expect(senderName({ ...quoted, from_me: true, sender_jid: '60123456789@s.whatsapp.net' })).toBe('You');
  });
});
