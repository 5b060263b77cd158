/** What the file of a message is shown as. */
import type { Message } from '../api/types';

export type Shape = 'image' | 'video' | 'gif' | 'sticker' | 'audio' | 'voice' | 'document';

/** Drawings that move, which no browser shows: a picture of them comes along. */
const LOTTIE = 'application/was';

/** By what the message is; a text may have a file above its words. null where there is nothing to be seen of one. */
export function shapeOf(message: Message): Shape | null {
  const { message_type: type, media } = message;
  switch (type) {
    case 'video':
      return media?.gif ? 'gif' : 'video';
    case 'image':
    case 'audio':
    case 'voice':
    case 'document':
      return type;
    case 'sticker':
      return stickerUrl(message) === null ? null : type;
    case 'text':
      return media === null ? (message.thumbnail_url === null ? null : 'image') : shapeOfType(media.mime);
    default:
      return null;
  }
}

function shapeOfType(mime: string): Shape {
  const kind = mime.split('/')[0];
  return kind === 'image' || kind === 'video' || kind === 'audio' ? kind : 'document';
}

/** Where the picture of a sticker is. */
export function stickerUrl({ media, media_url, thumbnail_url }: Message): string | null {
  return media?.mime === LOTTIE ? thumbnail_url : media_url;
}

/** Whether it reaches to the edges of its bubble, and can be seen large. */
export function isPictured(shape: Shape | null): boolean {
  return shape === 'image' || shape === 'video' || shape === 'gif';
}
