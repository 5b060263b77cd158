/** What to call a chat, a sender and a message's content when names or words are missing. */
import type { Chat, Message, Notice, Quoted } from '../api/types';
import { t } from '../i18n/index.svelte';
import { plainText } from './markup';
import { noticeWithNames, type Named } from './mentions';
import { noticeWords } from './notices';
import { showPhone } from './phone';

export function jidName(jid: string): string {
  const [user = jid, server] = jid.split('@');
  return server === 's.whatsapp.net' ? showPhone(user) : user;
}

/** Letters and pictures that are drawn as nothing, though Unicode counts them as such. */
const DRAWN_AS_NOTHING = /[\u115f\u1160\u2800\u3164\uffa0]/gu;

/** A name as it is if there is anything to be seen of it, else nothing: people call themselves by a space. */
export function seen(name: string | null): string {
  return name && /[\p{L}\p{N}\p{P}\p{S}]/u.test(name.replace(DRAWN_AS_NOTHING, '')) ? name : '';
}

export function chatName(chat: Chat): string {
  return seen(chat.chat_name) || (chat.phone ? showPhone(chat.phone) : jidName(chat.chat_jid));
}

/** Who wrote a message; of one that is only quoted that may not be known, and is empty. */
export function writer(message: Message | Quoted): string {
  return message.sender_jid ?? ('chat_id' in message ? message.chat_jid : '');
}

export function senderName(message: Message | Quoted): string {
  return message.from_me ? t('inbox.you') : seen(message.sender_name) || jidName(writer(message));
}

/** Where what is answered was written, if that was another chat; else empty. */
export function elsewhere({ chat_jid, chat_name }: Quoted): string {
  if (chat_jid === null) return '';
  return chat_jid === 'status@broadcast' ? t('quote.status') : seen(chat_name) || t('quote.group');
}

/** What people are called who are named in a text. */
export function named(mentions: Message['mentions']): Named[] {
  return mentions.map(({ digits, name, jid, is_me }) => ({
    digits,
    name: is_me ? t('inbox.you') : seen(name) || jidName(jid),
  }));
}

/**
 * What somebody does in a chat right now, as a person reads it; empty when nobody does anything.
 * Where no name is known a number is said, but not the digits of a LID.
 */
export function activity(chat: Chat): string {
  if (!chat.typing) return '';
  const what = chat.typing_state === 'recording' ? 'inbox.recording' : 'inbox.typing';
  const who = seen(chat.typing_name) || (chat.typing.endsWith('@lid') ? '' : jidName(chat.typing));
  return chat.is_group && who !== '' ? t(`${what}_who`, { name: who }) : t(what);
}

/** What the server writes where a message could not be read. */
const UNREAD = new Map<string, 'waiting' | 'on_phone'>([
  ['Waiting for this message', 'waiting'],
  ['Open this message on your phone', 'on_phone'],
]);

/** The message's type, or why it could not be read: it may still come, or only the phone gets it. */
export function kindShown(
  type: Message['message_type'],
  text: string,
): Message['message_type'] | 'waiting' | 'on_phone' {
  return (type === 'unsupported' ? UNREAD.get(text) : undefined) ?? type;
}

/** Something that happened, which nobody wrote: who did it is in its words. */
export function isNotice(type: Message['message_type']): boolean {
  return type === 'system' || type === 'call';
}

/** What became of a group; of an older one there is only the server's own text, which begins with who did it. */
function noticeText(text: string, doer: string, fromMe: boolean, people: Named[], notice: Notice | null): string {
  const names = new Map(people.map(({ digits, name }) => [digits, name]));
  const call = (jid: string): string => names.get(jid.split('@')[0]!) ?? jidName(jid);
  const said = notice && noticeWords(notice, fromMe ? t('inbox.you') : doer, call);
  if (said !== null) return said;
  const lines = text.split('\n').map((line) => {
    return fromMe && doer !== '' && line.startsWith(`${doer} `) ? t('inbox.you') + line.slice(doer.length) : line;
  });
  return noticeWithNames(lines.join('\n'), people);
}

/**
 * One line for a message: its words, else what it is.
 *
 * @param sender the name it came with
 * @param notice what became of a group, if it says that
 */
export function summary(
  type: Message['message_type'],
  text: string,
  fromMe: boolean,
  mentions: Message['mentions'],
  sender: string | null = null,
  notice: Notice | null = null,
): string {
  if (type === 'deleted') return t(fromMe ? 'type.deleted_own' : 'type.deleted');
  if (type === 'unsupported') return t(`type.${kindShown(type, text)}`);
  if (text === '') return t(`type.${type}`);
  const people = named(mentions);
  const isSystem = type === 'system';
  const words = isSystem ? noticeText(text, seen(sender), fromMe, people, notice) : plainText(text, people);
  return words.replace(/\s+/gu, ' ');
}
