import { expect, test } from 'vitest';
import { filterOf, NO_WISH, readWish, writeWish } from './lead_filters';

test('a wish survives its address', () => {
  const wish = {
    search: 'ali & co',
    tag: 'kl',
    status: 'customer',
    device: 'none',
    suppressed: 'no',
    segment: '3',
  } as const;
  expect(readWish(new URLSearchParams(writeWish(wish)))).toEqual(wish);
  expect(writeWish(NO_WISH)).toBe('');
});

test('nonsense in the address filters nothing', () => {
  expect(readWish(new URLSearchParams('status=boss&suppressed=maybe&x=y'))).toEqual(NO_WISH);
});

test('a segment and what is chosen besides must both hold', () => {
  const segment = { tags: ['vip'], quiet_days: 60 };
  const wish = { ...NO_WISH, tag: 'kl', device: 'none', search: ' ' };
  expect(filterOf(wish, segment)).toEqual({ tags: ['vip', 'kl'], quiet_days: 60, has_device: false });
  for (const said of [
    { search: 'kuala lumpur' },
    { target_status: 'customer' as const },
    { device_ids: ['y'] },
    { has_device: false },
    { is_suppressed: false },
  ]) {
    const [name] = Object.keys(said);
    const all = { ...NO_WISH, search: 'ali', status: 'prospect', device: 'x', suppressed: 'yes' } as const;
    const others = { search: 'ali', target_status: 'prospect', device_ids: ['x'], is_suppressed: true };
    const { device_ids, ...rest } = others;
    expect(filterOf(all, said), name).toEqual({ ...rest, ...(name !== 'has_device' && { device_ids }), ...said });
  }
  expect(filterOf({ ...NO_WISH, device: 'x', suppressed: 'yes' })).toEqual({ device_ids: ['x'], is_suppressed: true });
});
