import { describe, expect, it } from 'vitest';
import { message, outbox } from '../testing/samples';
import * as changes from './changes';

const OWN = '60123456789@s.whatsapp.net';
const theirs = message({ id: '7-1' });
const ours = message({ id: '7-2', from_me: true, message_text: 'Ten o’clok' });

function begun(kind: changes.ChangeKind, target: string, text: string): changes.Changes {
  return changes.begun([], { key: 'k', kind, target, text, row: null });
}

describe('what is done to a message', () => {
  it('shows at once, and the message itself ends it', () => {
    const state = begun('reaction', theirs.message_id, '👍');
    const [shown] = changes.withChanges([theirs], state, OWN);
    expect(shown!.reactions.map((one) => [one.sender_jid, one.emoji])).toEqual([[OWN, '👍']]);
    expect(changes.messagesArrived(state, [theirs], OWN)).toHaveLength(1);
    expect(changes.messagesArrived(state, [shown!], OWN)).toEqual([]);
  });

  it('replaces a reaction of this line and leaves those of others', () => {
    const reactions = [
      { sender_jid: OWN, emoji: '😂', at: 1 },
      { sender_jid: 'x@lid', emoji: '👍', at: 1 },
    ];
    const reacted = { ...theirs, reactions };
    const [taken] = changes.withChanges([reacted], begun('reaction', theirs.message_id, ''), OWN);
    expect(taken!.reactions.map((one) => one.emoji)).toEqual(['👍']);
  });

  it('is taken back when it fails, whether the answer or the news comes first', () => {
    const state = begun('edit', ours.message_id, 'Ten o’clock');
    const row = outbox({
      id: '9',
      type: 'edit',
      text: 'Ten o’clock',
      target_message_id: ours.message_id,
      chat_id: '7',
    });
    const failed = { ...row, state: 'failed' as const, reason: 'refused' };
    expect(changes.rowChanged(state, failed)).toEqual({ state: [], failed: true });
    const known = changes.posted(state, 'k', row);
    expect(changes.rowChanged(known, failed)).toEqual({ state: [], failed: true });
    expect(changes.posted([], 'k', row)).toEqual([]);
    expect(changes.rowChanged([], failed).failed).toBe(false);
  });

  it('of a colleague is shown while it is on its way', () => {
    const row = outbox({ id: '9', type: 'delete', text: '', target_message_id: ours.message_id });
    const { state } = changes.rowChanged([], row);
    expect(changes.withChanges([ours], state, OWN)[0]!.message_type).toBe('deleted');
    expect(changes.rowChanged([], { ...row, state: 'delivered' }).state).toEqual([]);
  });

  it('is not undone by late news of the one before', () => {
    const row = outbox({ id: '9', type: 'reaction', text: '👍', target_message_id: theirs.message_id });
    const taking = begun('reaction', theirs.message_id, '');
    expect(changes.rowChanged(taking, row)).toEqual({ state: taking, failed: false });
    const taken = changes.posted(taking, 'k', { ...row, id: '10', text: '' });
    expect(changes.rowChanged(taken, row)).toEqual({ state: taken, failed: false });
    const { state } = changes.rowChanged(taken, { ...row, id: '11', text: '😂' });
    expect(state.map((one) => one.text)).toEqual(['😂']);
  });

  it('is offered only where WhatsApp takes it', () => {
    const now = ours.timestamp * 1000;
    expect(changes.possible(ours, now)).toEqual({ react: true, edit: true, delete: true, forward: true });
    expect(changes.possible(ours, now + 16 * 60_000)).toMatchObject({ edit: false, delete: true });
    expect(changes.possible(ours, now + 61 * 3_600_000)).toMatchObject({ delete: false });
    expect(changes.possible(theirs, now)).toMatchObject({ react: true, edit: false, delete: false });
    for (const message_type of ['deleted', 'call', 'system'] as const) {
      const event = message({ id: '7-3', from_me: true, message_type });
      expect(changes.possible(event, now)).toEqual({ react: false, edit: false, delete: false, forward: false });
    }
  });
});
