import { beforeEach, describe, expect, it } from 'vitest';
import type { Session } from '../api/types';
import { message } from '../testing/samples';
import { Drafts, forgetDrafts, ofNote } from './drafts';

const session = (tenant: string, user: string): Session =>
  ({ tenant: { id: tenant, name: '' }, user: { id: user, name: '', email: '', role: 'agent' } }) as Session;

beforeEach(() => localStorage.clear());

describe('drafts', () => {
  it('outlive the page, for the same person in the same workspace only', () => {
    new Drafts(session('1', '1')).put('7', 'half a sen');
    expect(new Drafts(session('1', '1')).get('7')).toBe('half a sen');
    expect(new Drafts(session('2', '1')).get('7')).toBe('');
    expect(new Drafts(session('1', '11')).get('7')).toBe('');
  });

  it('go when nothing is left of them, and with signing out', () => {
    const drafts = new Drafts(session('1', '1'));
    drafts.put('7', 'gone soon');
    drafts.put('8', 'gone later');
    drafts.put('7', ' ');
    expect(new Drafts(session('1', '1')).get('7')).toBe('');
    forgetDrafts();
    expect(new Drafts(session('1', '1')).get('8')).toBe('');
  });

  it('keep what they answer and what they change, and take it over to the chat theirs becomes', () => {
    const drafts = new Drafts(session('1', '1'));
    const [asked, said, other] = ['1', '2', '3'].map((id) => message({ id }));
    drafts.keepReply('7', asked!);
    drafts.keepChange('7', { message: said!, words: 'better' });
    drafts.keepReply('8', other!);
    drafts.move('7', '8');
    const later = new Drafts(session('1', '1'));
    expect([later.reply('7'), later.change('7')]).toEqual([null, null]);
    expect(later.change('8')).toEqual({ message: said, words: 'better' });
    expect(later.reply('8')).toEqual(other);
    later.keepReply('8', null);
    expect([later.reply('8'), later.chats()]).toEqual([null, ['8']]);
  });

  it('name the chats they were typed in, and none for what others keep', () => {
    const drafts = new Drafts(session('1', '1'));
    for (const name of ['7', 'note-8', 'reply-6', 'edit-5-3EB0-1', 'unsent-9-a1']) drafts.put(name, 'x');
    expect(drafts.chats().sort()).toEqual(['5', '6', '7', '8']);
  });

  it('of changes go with what they were for, and with their chat', () => {
    const drafts = new Drafts(session('1', '1'));
    drafts.keepEdit('7', '3EB0-1', 'better');
    drafts.keepEdit('7', '3EB0-2', 'best');
    drafts.keepEdit('77', ofNote('4'), 'later');
    drafts.dropEdits('7', (what) => what === '3EB0-1');
    expect([drafts.edit('7', '3EB0-1'), drafts.edit('7', '3EB0-2')]).toEqual(['', 'best']);
    drafts.move('7', '8');
    expect([drafts.edit('7', '3EB0-2'), drafts.edit('8', '3EB0-2')]).toEqual(['', 'best']);
    for (const name of ['8', 'note-8']) drafts.put(name, 'x');
    drafts.keepReply('8', message({ id: '1' }));
    drafts.drop('8');
    expect(new Drafts(session('1', '1')).chats()).toEqual(['77']);
    expect(drafts.edit('77', ofNote('4'))).toBe('later');
  });

  it('of another tab stay', () => {
    const [one, other] = [new Drafts(session('1', '1')), new Drafts(session('1', '1'))];
    one.put('7', 'here');
    other.put('8', 'there');
    const later = new Drafts(session('1', '1'));
    expect([later.get('7'), later.get('8')]).toEqual(['here', 'there']);
  });

  it('that another tab has written since are not taken away by an empty field', () => {
    const [one, other] = [new Drafts(session('1', '1')), new Drafts(session('1', '1'))];
    one.put('7', 'half a sen');
    other.put('7', '');
    expect(new Drafts(session('1', '1')).get('7')).toBe('half a sen');
  });

  it('that another tab has sent are told of, with what they were', () => {
    const drafts = new Drafts(session('1', '1'));
    drafts.put('7', 'only once');
    const told: string[][] = [];
    const end = drafts.whenGone((...gone) => told.push(gone));
    const key = 'wafast.draft.1.1.7';
    dispatchEvent(new StorageEvent('storage', { key, oldValue: 'only once', newValue: null }));
    end();
    expect([told, drafts.get('7')]).toEqual([[['7', 'only once']], '']);
  });
});
