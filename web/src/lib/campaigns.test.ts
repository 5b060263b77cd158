import { describe, expect, it } from 'vitest';
import type { Bucket, Campaign } from '../api/types';
import { finishWords, partWords } from './campaign_words';
import { hasBegun, inOrder, isOver, left, share } from './campaigns';
import { instantOf, localMinute } from './time';

const PLACE = { locale: 'en-GB', zone: 'Asia/Kuala_Lumpur', today: 'Today', yesterday: 'Yesterday' };
const NONE = {
  total: 0,
  waiting: 0,
  sent: 0,
  delivered: 0,
  read: 0,
  replied: 0,
  failed: 0,
  unknown: 0,
  expired: 0,
  opted_out: 0,
  cancelled: 0,
};

function campaign(change: Partial<Campaign>): Campaign {
  return { state: 'running', counts: NONE, ...change } as Campaign;
}

describe('a campaign', () => {
  it('has sent whatever left, whatever became of it', () => {
    expect(left(campaign({ counts: { ...NONE, sent: 1, delivered: 2, read: 3, replied: 4, failed: 5 } }))).toBe(10);
  });

  it('is over when nothing of it will leave', () => {
    expect(isOver(campaign({ state: 'finished' }))).toBe(true);
    expect(isOver(campaign({ state: 'paused' }))).toBe(false);
    expect(hasBegun(campaign({ state: 'scheduled' }))).toBe(false);
  });

  it('that changed stands at its own time of the day, not behind the others', () => {
    const at = (id: string, starts_at: string): Campaign => campaign({ id, starts_at });
    const [early, late] = [at('1', '2026-11-26T01:00:00Z'), at('2', '2026-11-26T09:00:00Z')];
    const [same, changed] = [at('10', '2026-11-26T09:00:00Z'), at('3', '2026-11-26T05:00:00+00:00')];
    expect(inOrder([same, late, early, changed]).map((one) => one.id)).toEqual(['1', '3', '2', '10']);
  });

  it('is never shown as whole before it is', () => {
    expect(share(2393, 2400, 'en-GB')).toBe('99.7%');
    expect(share(1, 3, 'en-GB')).toBe('33%');
    expect(share(7, 2400, 'en-GB')).toBe('0.3%');
    expect(share(0, 0, 'en-GB')).toBe('');
  });
});

describe('when', () => {
  it('near instants have a clock, far ones a day', () => {
    const now = new Date('2026-11-26T04:00:00Z');
    expect(finishWords(new Date('2026-11-26T07:04:00Z'), now, PLACE)).toBe('today 15:04');
    expect(finishWords(new Date('2026-11-29T07:04:00Z'), now, PLACE)).toBe('Sun 29 Nov, 15:04');
    expect(finishWords(new Date('2027-03-12T07:04:00Z'), now, PLACE)).toBe('12 March 2027');
  });

  it('a field for day and time is the clock of the account, not of the browser', () => {
    const at = instantOf('2026-11-26T15:04', 'Asia/Kuala_Lumpur');
    expect(at.toISOString()).toBe('2026-11-26T07:04:00.000Z');
    expect(localMinute(at, 'Asia/Kuala_Lumpur')).toBe('2026-11-26T15:04');
    expect(localMinute(at, 'Europe/Berlin')).toBe('2026-11-26T08:04');
  });
});

describe('the device of a part of a campaign', () => {
  it.each([
    [{ waiting: 2 }, 'No device yet'],
    [{ delivered: 1, failed: 2 }, 'A device that was deleted'],
    [{ sent: 1, waiting: 2 }, 'No device yet, or a deleted one'],
    [{ cancelled: 2 }, 'No device'],
  ])('is told apart where it has none: %o', (counts, words) => {
    const told = Object.entries(counts).map(([bucket, count]) => ({ bucket: bucket as Bucket, count }));
    expect(partWords({ device_id: null, device_name: null, counts: told })).toBe(words);
    expect(partWords({ device_id: 'd1', device_name: 'Sales', counts: told })).toBe('Sales');
  });
});
