import { describe, expect, it } from 'vitest';
import { chat } from '../testing/samples';
import { filterQuery, isFiltered, NO_FILTERS, passes, readFilters, writeFilters } from './chat_filters';

describe('filters of the chat list', () => {
  it('are in the address and come back from it', () => {
    const filters = { unread: true, groups: true, assignee: 'me', label: '3', open: false, archived: true };
    expect(readFilters(Object.fromEntries(new URLSearchParams(writeFilters(filters))))).toEqual(filters);
    expect(writeFilters(NO_FILTERS)).toBe('');
    expect(readFilters({})).toEqual(NO_FILTERS);
    expect(isFiltered(readFilters({ label: 3 }))).toBe(true);
  });

  it('ask for archived chats only in their section', () => {
    expect(filterQuery(NO_FILTERS)).toEqual({ archived: false });
    expect(filterQuery({ ...NO_FILTERS, open: false, label: '3' })).toEqual({
      archived: false,
      is_open: false,
      label_id: '3',
    });
  });

  it.each([
    ['unread', { unread: true }, { unread_count: 1 }],
    ['groups', { groups: true }, { is_group: true }],
    ['mine', { assignee: 'me' }, { assignee_id: '7' }],
    ['of somebody', { assignee: '8' }, { assignee_id: '8' }],
    ['labelled', { label: '3' }, { label_ids: ['2', '3'] }],
    ['closed', { open: false }, { is_open: false }],
    ['archived', { archived: true }, { archived: true }],
  ])('let %s chats pass and others not', (_name, wanted, change) => {
    const filters = { ...NO_FILTERS, ...wanted };
    expect(passes(chat({ id: '1', unread_count: 0, ...change }), filters, '7', Infinity)).toBe(true);
    expect(passes(chat({ id: '1', unread_count: 0 }), filters, '7', Infinity)).toBe(false);
  });

  it('let chats of nobody pass', () => {
    const filters = { ...NO_FILTERS, assignee: 'none' };
    expect(passes(chat({ id: '1' }), filters, '7', Infinity)).toBe(true);
    expect(passes(chat({ id: '1', assignee_id: '7' }), filters, '7', Infinity)).toBe(false);
  });

  it('let no chat pass that had no message for as many days as lists go back', () => {
    const ago = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();
    expect(passes(chat({ id: '1', last_message_time: ago(47) }), NO_FILTERS, '7', 2)).toBe(true);
    expect(passes(chat({ id: '1', last_message_time: ago(49) }), NO_FILTERS, '7', 2)).toBe(false);
    expect(passes(chat({ id: '1', last_message_time: null }), NO_FILTERS, '7', 2)).toBe(false);
  });
});
