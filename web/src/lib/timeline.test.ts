import { describe, expect, it } from 'vitest';
import type { Note } from '../api/types';
import { message } from '../testing/samples';
import { drafted, NOTHING_SENT } from './sending';
import { timeline, unreadLine } from './timeline';

const KL = 'Asia/Kuala_Lumpur';
const seconds = (iso: string): number => Date.parse(iso) / 1000;

describe('timeline', () => {
  it('puts a line between days of the zone', () => {
    const messages = ['2026-11-23T15:59:00Z', '2026-11-23T16:01:00Z'].map((at, n) =>
      message({ id: `7-${n}`, timestamp: seconds(at) }),
    );
    expect(timeline(messages, [], KL, null).map((entry) => entry.kind)).toEqual(['day', 'message', 'day', 'message']);
    expect(timeline(messages, [], 'UTC', null).map((entry) => entry.kind)).toEqual(['day', 'message', 'message']);
  });

  it('puts private notes where they were written', () => {
    const messages = [0, 60].map((more) =>
      message({ id: `7-${more}`, timestamp: seconds('2026-11-23T04:00:00Z') + more }),
    );
    const note = (id: string, created_at: string): Note => ({
      id,
      chat_id: '7',
      created_by: 'user:1',
      author: 'Aina',
      text: 'Call back',
      created_at,
      edited_at: null,
    });
    const notes = [note('1', '2026-11-23T04:00:00.5Z'), note('2', '2026-11-23T04:02:00Z')];
    const keys = timeline(messages, [], KL, null, notes).map((entry) => entry.key);
    expect(keys.slice(1)).toEqual(['7-0', 'note-1', '7-60', 'note-2']);
  });

  it('starts a run at another person, after a pause, and below the unread line', () => {
    const at = seconds('2026-11-23T04:00:00Z');
    const messages = [
      message({ id: '7-1', timestamp: at, sender_jid: 'a' }),
      message({ id: '7-2', timestamp: at + 5, sender_jid: 'a' }),
      message({ id: '7-3', timestamp: at + 6, sender_jid: 'b' }),
      message({ id: '7-4', timestamp: at + 2000, sender_jid: 'b' }),
      message({ id: '7-5', timestamp: at + 2001, sender_jid: 'b' }),
    ];
    const entries = timeline(messages, [], KL, unreadLine(messages, 1));
    expect(entries.flatMap((entry) => (entry.kind === 'message' ? [entry.first] : []))).toEqual([
      true,
      false,
      true,
      true,
      true,
    ]);
    expect(entries.map((entry) => entry.kind).indexOf('unread')).toBe(5);
  });

  it('leaves what failed where it was written', () => {
    const draft = { type: 'text' as const, text: 'x', quoted_message_id: null, preview: null };
    const sending = drafted(NOTHING_SENT, 'k', draft, '2026-11-23T04:00:30Z');
    const messages = [0, 60].map((after) =>
      message({ id: `7-${after}`, timestamp: seconds('2026-11-23T04:00:00Z') + after }),
    );
    expect(timeline(messages, sending.bubbles, KL, null).map((entry) => entry.key)).toEqual([
      'day-20780',
      '7-0',
      'k',
      '7-60',
    ]);
  });

  it('ends with what is on its way', () => {
    const sending = drafted(
      NOTHING_SENT,
      'k',
      { type: 'text', text: 'x', quoted_message_id: null, preview: null },
      '2026-11-23T04:00:00Z',
    );
    expect(timeline([], sending.bubbles, KL, null).map((entry) => entry.kind)).toEqual(['day', 'bubble']);
  });
});

describe('unreadLine', () => {
  it('counts only what others wrote', () => {
    const messages = [message({ id: '7-1' }), message({ id: '7-2', from_me: true }), message({ id: '7-3' })];
    expect(unreadLine(messages, 2)?.before).toBe('7-1');
    expect(unreadLine(messages, 0)).toBeNull();
    expect(unreadLine(messages, 9)).toBeNull();
  });
});
