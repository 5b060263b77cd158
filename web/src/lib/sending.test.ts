import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { message, outbox } from '../testing/samples';
import {
  discarded,
  drafted,
  leaving,
  messageArrived,
  NOTHING_SENT,
  posted,
  refused,
  rowChanged,
  type Draft,
  type Sending,
} from './sending';

const draft: Draft = { type: 'text', text: 'On its way', quoted_message_id: null, preview: null };
const start = drafted(NOTHING_SENT, 'k1', draft, '2026-09-21T12:53:20Z');
const row = outbox({ id: '9' });
const sent = message({ id: '7-1', from_me: true, message_text: 'On its way', outbox_id: '9', message_id: 'WA9' });

describe('a bubble', () => {
  it('is there at once, follows its row, and goes when the message comes', () => {
    let state = posted(start, 'k1', row);
    state = rowChanged(state, { ...row, state: 'sending', attempts: 1 });
    expect(state.bubbles.map((one) => [one.key, one.row?.state])).toEqual([['k1', 'sending']]);
    expect(messageArrived(state, sent).bubbles).toEqual([]);
  });

  it('never doubles and never stays, in whatever order the four things arrive', () => {
    const steps: ((state: Sending) => Sending)[] = [
      (state) => posted(state, 'k1', row),
      (state) => rowChanged(state, row),
      (state) => rowChanged(state, { ...row, state: 'sending', attempts: 1 }),
      (state) => rowChanged(state, { ...row, state: 'sent', attempts: 1, message_id: 'WA9' }),
      (state) => messageArrived(state, sent),
    ];
    const order = fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 });
    const repeats = fc.array(fc.constantFrom(1, 2, 3, 4), { maxLength: 4 });
    fc.assert(
      fc.property(order, repeats, (first, again) => {
        let state = start;
        for (const step of first) {
          state = steps[step]!(state);
          if (state.bubbles.length > 1) return false;
        }
        for (const step of again) state = steps[step]!(state);
        return state.bubbles.length === 0;
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps its key when news of the row overtake the answer to POST', () => {
    const early = rowChanged(start, { ...row, state: 'sending', attempts: 1 });
    expect(early.bubbles.map((one) => one.key)).toEqual(['k1']);
    expect(posted(early, 'k1', row).bubbles.map((one) => [one.key, one.row?.state])).toEqual([['k1', 'sending']]);
  });

  it('says why the server refused it, and can be given up', () => {
    const state = refused(start, 'k1', 'Not paired yet.');
    expect(state.bubbles[0]!.refused).toBe('Not paired yet.');
    expect(discarded(state, 'k1').bubbles).toEqual([]);
  });

  it('shows a failed row again as queued after a retry, not the other way round', () => {
    const failed = { ...row, state: 'failed' as const, attempts: 1 };
    const state = rowChanged(posted(start, 'k1', row), failed);
    expect(state.bubbles[0]!.row?.state).toBe('failed');
    const retried = rowChanged(state, { ...row, state: 'queued', attempts: 1 });
    expect(retried.bubbles[0]!.row?.state).toBe('queued');
    expect(rowChanged(state, row).bubbles[0]!.row?.state).toBe('failed');
  });

  it('of a colleague appears too, one in each row', () => {
    const state = rowChanged(rowChanged(NOTHING_SENT, row), outbox({ id: '8', created_at: '2026-09-21T12:00:00Z' }));
    expect(state.bubbles.map((one) => one.key)).toEqual(['row-8', 'row-9']);
  });

  it('two of the same words stay two', () => {
    const two = drafted(start, 'k2', draft, '2026-09-21T12:53:21Z');
    const first = rowChanged(two, row);
    const both = posted(first, 'k2', outbox({ id: '10' }));
    expect(both.bubbles.map((one) => [one.key, one.row?.id])).toEqual([
      ['k1', '9'],
      ['k2', '10'],
    ]);
    expect(messageArrived(both, sent).bubbles.map((one) => one.key)).toEqual(['k2']);
  });

  it('is not taken by a message typed on the phone', () => {
    const state = posted(start, 'k1', row);
    expect(messageArrived(state, { ...sent, outbox_id: null, message_id: 'other' }).bubbles).toHaveLength(1);
  });

  it('gives news of one picture to no other whose file is still on its way', () => {
    const picture = { type: 'image' as const, text: '', quoted_message_id: null, preview: 'blob:1' };
    let state = drafted(NOTHING_SENT, 'first', picture, '2026-09-21T12:00:00Z', true);
    state = drafted(state, 'second', picture, '2026-09-21T12:00:01Z', true);
    state = leaving(state, 'first');
    state = rowChanged(state, outbox({ id: '9', type: 'image', text: '' }));
    expect(state.bubbles.map((one) => [one.key, one.row?.id])).toEqual([
      ['first', '9'],
      ['second', undefined],
    ]);
  });
});
