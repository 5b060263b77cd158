import { describe, expect, it } from 'vitest';
import { language } from '../i18n/index.svelte';
import { pace } from '../testing/samples';
import { changeOf, draftOf, held, restoring } from './pacing';

describe('the pace of lines', () => {
  it('shows what lines have in common, and nothing where they differ', () => {
    const draft = draftOf([pace(), pace({ per_hour: 40, ramp: false })]);
    expect([draft.per_hour, draft.ramp, draft.per_day, draft.typing]).toEqual([null, null, 800, true]);
  });

  it('knows quiet hours that differ from those that are off for all', () => {
    const night = { quiet_from: '21:00', quiet_until: '08:00' };
    expect(draftOf([pace(), pace()]).quiet).toBe(false);
    expect(draftOf([pace(night), pace(night)]).quiet).toBe(true);
    expect(draftOf([pace(night), pace()]).quiet).toBeNull();
    expect(draftOf([pace(night), pace({ ...night, quiet_until: '09:00' })]).quiet).toBeNull();
    expect(draftOf([pace(night), pace({ ...night, quiet_from: '20:00' })]).quiet).toBeNull();
  });

  it('changes only what was touched', () => {
    const begun = draftOf([pace(), pace({ per_hour: 40 })]);
    expect(changeOf(begun, begun)).toEqual({ change: {}, mistakes: {} });
    expect(changeOf({ ...begun, per_day: 300 }, begun).change).toEqual({ per_day: 300 });
    expect(changeOf({ ...begun, quiet: true }, begun).change).toEqual({ quiet_from: '21:00', quiet_until: '08:00' });
  });

  it('takes quiet hours away', () => {
    const begun = draftOf([pace({ quiet_from: '21:00', quiet_until: '08:00' })]);
    expect(changeOf({ ...begun, quiet: false }, begun).change).toEqual({ quiet_from: null, quiet_until: null });
  });

  it('sends both ends of a gap, as they make sense together only', () => {
    const begun = draftOf([pace()]);
    expect(changeOf({ ...begun, max_seconds: 30 }, begun).change).toEqual({ min_seconds: 5, max_seconds: 30 });
    const differing = draftOf([pace(), pace({ min_seconds: 1 })]);
    expect(changeOf({ ...differing, max_seconds: 30 }, differing).mistakes.min_seconds).toBeDefined();
  });

  it.each([
    ['max_seconds', 3, '3'],
    ['per_hour', 0, '0'],
    ['per_day', 2.5, '2.5'],
    ['min_seconds', -1, '-1'],
  ] as const)('names a wrong value: %s %d', (field, value, named) => {
    const begun = draftOf([pace()]);
    expect(changeOf({ ...begun, [field]: value }, begun).mistakes[field]).toContain(named);
  });

  it('does not let an empty field pass for one that stays', () => {
    const begun = draftOf([pace()]);
    expect(changeOf({ ...begun, per_hour: null }, begun).mistakes.per_hour).toBeDefined();
  });

  it('gives each line back what it had', () => {
    const paces = new Map([
      ['a', pace()],
      ['b', pace({ per_hour: 40 })],
      ['c', pace()],
    ]);
    expect(restoring(['a', 'b', 'c', 'gone'], { per_hour: 10 }, paces)).toEqual([
      { ids: ['a', 'c'], pacing: { per_hour: 80 } },
      { ids: ['b'], pacing: { per_hour: 40 } },
    ]);
  });
});

it('what holds a line is said in the language of the page, and in English only to who reads it', async () => {
  const [known, old] = [{ pause_cause: 'not_now', pause_reason: 'Too fast' } as const, { pause_reason: 'Too fast' }];
  expect(held('14:32', known)).toBe('WhatsApp holds this device until 14:32: Too fast');
  await language.use('ms');
  expect(held('14:32', known)).toBe(
    'WhatsApp menahan peranti ini hingga 14:32: WhatsApp belum dapat menerima mesej daripada peranti ini.',
  );
  expect(held('14:32', { ...old, pause_cause: null })).toBe('WhatsApp menahan peranti ini sehingga 14:32.');
  await language.use('en');
});
