import { expect, it } from 'vitest';
import { message } from '../testing/samples';
import { tally } from './polls';

const votes = [
  { sender_jid: '1@s.whatsapp.net', options: ['Nasi', 'Mee'], at: 1 },
  { sender_jid: '2@s.whatsapp.net', options: ['Mee'], at: 2 },
];

it('counts every option in the order of the poll, also those nobody chose', () => {
  const poll = message({ id: '1', poll_options: ['Nasi', 'Roti', 'Mee'], poll_votes: votes });
  expect(tally(poll).map(({ name, count }) => [name, count])).toEqual([
    ['Nasi', 1],
    ['Roti', 0],
    ['Mee', 2],
  ]);
  expect(tally(poll)[2]?.voters).toEqual(['1@s.whatsapp.net', '2@s.whatsapp.net']);
});

it('takes the counts of results, and of a poll stored without options what was chosen', () => {
  const results = message({ id: '1', poll_options: ['Nasi', 'Mee'], poll_counts: [3, 0] });
  expect(tally(results).map(({ count }) => count)).toEqual([3, 0]);
  expect(tally(message({ id: '1', poll_votes: votes })).map(({ name }) => name)).toEqual(['Nasi', 'Mee']);
});
