import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { message } from '../testing/samples';
import { compareMessages, newerMessage, placeMessages, rejoinMessages } from './messages';

const ids = (list: readonly { id: string }[]): string[] => list.map((one) => one.id);
const line = [1, 2, 3, 4, 5].map((n) => message({ id: `7-${n}`, timestamp: n }));

describe('placeMessages', () => {
  it('gives one order, however and how often messages arrive', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(4), { maxLength: 6 }), { maxLength: 8 }), (batches) => {
        const placed = batches.reduce(
          (list, batch) =>
            placeMessages(
              list,
              batch.map((n) => line[n]!),
            ),
          [] as readonly ReturnType<typeof message>[],
        );
        const expected = [...new Set(batches.flat())].sort().map((n) => line[n]!.id);
        return JSON.stringify(ids(placed)) === JSON.stringify(expected);
      }),
    );
  });

  it('orders one second as its messages were stored', () => {
    const first = message({ id: '7-9', created_at: '2026-09-21T12:53:20.100001Z' });
    const second = message({ id: '7-1', created_at: '2026-09-21T12:53:20.100002Z' });
    expect(ids([second, first].sort(compareMessages))).toEqual(['7-9', '7-1']);
  });

  it('orders what was stored together by the number in the id, longer numbers last', () => {
    const [a, b] = [message({ id: '7-999' }), message({ id: '7-1000' })];
    expect(ids([b, a].sort(compareMessages))).toEqual(['7-999', '7-1000']);
  });
});

describe('newerMessage', () => {
  it('never takes a tick back', () => {
    const read = message({ id: '7-1', from_me: true, status: 'read' });
    expect(newerMessage(read, { ...read, status: 'delivered' }).status).toBe('read');
    expect(newerMessage({ ...read, status: 'sent' }, read).status).toBe('read');
  });

  it('keeps the later edit and every deletion', () => {
    const first = message({ id: '7-1', message_text: 'one', edited_at: '2026-01-01T00:00:02Z' });
    const second = { ...first, message_text: 'two', edited_at: '2026-01-01T00:00:05Z' };
    expect(newerMessage(second, first).message_text).toBe('two');
    expect(newerMessage(first, second).message_text).toBe('two');
    const deleted = {
      ...first,
      message_type: 'deleted' as const,
      message_text: '',
      deleted_at: '2026-01-01T00:00:03Z',
    };
    expect(newerMessage(deleted, second).message_type).toBe('deleted');
    expect(newerMessage(second, deleted).message_type).toBe('deleted');
  });
});

describe('rejoinMessages', () => {
  it('joins a page that touches what is shown', () => {
    expect(ids(rejoinMessages(line.slice(0, 3), line.slice(2), false))).toEqual(ids(line));
  });

  it('gives up what may lie before a hole', () => {
    expect(ids(rejoinMessages(line.slice(0, 2), line.slice(3), false))).toEqual(['7-4', '7-5']);
  });

  it('forgets what the server has trimmed when the page is all there is', () => {
    expect(ids(rejoinMessages(line, line.slice(2), true))).toEqual(['7-3', '7-4', '7-5']);
  });
});
