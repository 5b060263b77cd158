import { mount, unmount } from 'svelte';
import { expect, it } from 'vitest';
import type { CampaignEstimate, LeadFilter } from '../../api/types';
import EstimateCard from './EstimateCard.svelte';

const NOBODY: CampaignEstimate = {
  recipients: 0,
  without_device: 0,
  opted_out: 0,
  finishes_at: null,
  is_partial: false,
  devices: [],
};
const POOL: CampaignEstimate['devices'][number] = {
  device_id: null,
  device_name: null,
  state: null,
  recipients: 2,
  ahead: 0,
  finishes_at: null,
  holds: 'None of your devices is online',
  holds_cause: 'no_device',
};

async function said(change: Partial<CampaignEstimate>, audience: LeadFilter = { tags: ['vip'] }): Promise<string> {
  const props = { estimate: { ...NOBODY, ...change }, audience, busy: false, problem: null };
  const card = mount(EstimateCard, { target: document.body, props });
  const words = document.querySelector('section')!.textContent;
  await unmount(card);
  return words;
}

it('an audience of nobody says why: no leads, conditions that nobody fits, or all opted out', async () => {
  expect(await said({}, {})).toContain('There are no leads yet');
  expect(await said({})).toContain('Nobody fits all of these conditions');
  expect(await said({ opted_out: 12 })).toContain('All 12 who fit have opted out');
});

it('who fits and gets nothing is counted beside those who do', async () => {
  expect(await said({ recipients: 5, opted_out: 1 })).toContain('1 more fits and has opted out');
  expect(await said({ recipients: 5 })).not.toContain('opted out');
});

it('people without a device are told to get one only as far as there is one', async () => {
  const words = await said({ recipients: 5, without_device: 5, devices: [POOL] });
  expect(words).toContain('3 of them have no device yet and get one');
  expect(words).toContain('2 of them have no device, and there is none now');
});
