/** What a message carries beside its words that is no file: a place, or contacts. */
import type { Message } from '../api/types';
import { withNames } from './mentions';
import { named } from './names';

export type Place = NonNullable<Message['place']>;
export type Contact = Message['contacts'][number];

/** About a metre. */
const DIGITS = 5;

/** `3.15785, 101.71165`; empty where the place has no coordinates. */
export function coordinates({ latitude, longitude }: Place): string {
  return latitude === null || longitude === null ? '' : `${latitude.toFixed(DIGITS)}, ${longitude.toFixed(DIGITS)}`;
}

/** Where a map of the place is; null where it has no coordinates. */
export function mapAddress(place: Place): string | null {
  const at = coordinates(place);
  if (at === '') return null;
  const [latitude, longitude] = at.split(', ');
  return `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=16/${latitude}/${longitude}`;
}

/** The words of a message that its card does not show; empty where it shows them all. */
export function beside({ message_text, place, contacts }: Message): string {
  if (place) return message_text === [place.name, place.address].filter(Boolean).join('\n') ? '' : message_text;
  return contacts.length < message_text.split('\n').length ? message_text : '';
}

/** What copying a message gives. */
export function copyText({ message_text, mentions, place, contacts }: Message): string {
  const cards = contacts.flatMap(({ name, numbers }) => [name, ...numbers.map((number) => number.value)]);
  const lines = cards.length > 0 ? cards : [withNames(message_text, named(mentions)), place ? coordinates(place) : ''];
  return lines.filter(Boolean).join('\n');
}
