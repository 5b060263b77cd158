import { expect, it } from 'vitest';
import type { Message } from '../api/types';
import { message } from '../testing/samples';
import { shapeOf, stickerUrl } from './shown_file';

function file(mime: string, change: Partial<Message> = {}): Message {
  const facts = { size: null, width: null, height: null, seconds: null, waveform: null, name: null };
  return message({
    id: '1',
    media: { ...facts, mime, gif: false, stored: false, expired: false },
    media_url: '/media/7-1.bin',
    ...change,
  });
}

it('shows a file by what the message is', () => {
  for (const type of ['image', 'video', 'audio', 'voice', 'document', 'sticker'] as const)
    expect(shapeOf(file('text/plain', { message_type: type }))).toBe(type);
  for (const type of ['deleted', 'poll', 'location', 'system'] as const)
    expect(shapeOf(message({ id: '1', message_type: type }))).toBeNull();
  const film = file('video/mp4', { message_type: 'video' });
  expect(shapeOf({ ...film, media: { ...film.media!, gif: true } })).toBe('gif');
});

it('shows what stands over a text by what it is', () => {
  expect(shapeOf(message({ id: '1' }))).toBeNull();
  expect(shapeOf(message({ id: '1', thumbnail_url: '/media/7-1.thumb.jpg' }))).toBe('image');
  expect(shapeOf(file('image/png'))).toBe('image');
  expect(shapeOf(file('video/mp4'))).toBe('video');
  expect(shapeOf(file('audio/ogg'))).toBe('audio');
  expect(shapeOf(file('application/pdf'))).toBe('document');
});

it('shows of a sticker that no browser can draw the picture that came with it, and nothing without one', () => {
  const lottie = file('application/was', { message_type: 'sticker' });
  const pictured = { ...lottie, thumbnail_url: '/media/7-1.thumb.jpg' };
  expect([shapeOf(lottie), shapeOf(pictured)]).toEqual([null, 'sticker']);
  expect(stickerUrl(pictured)).toBe('/media/7-1.thumb.jpg');
  expect(stickerUrl(file('image/webp'))).toBe('/media/7-1.bin');
});
