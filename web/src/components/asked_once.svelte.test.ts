/** What is shown is fetched once, and not again for whatever else of it changes. */
import { flushSync, mount, unmount, type Component } from 'svelte';
import { beforeEach, expect, it } from 'vitest';
import type { Campaign, CampaignReport, SequenceWithSteps } from '../api/types';
import { KEY } from '../lib/workspace.svelte';
import { FakeServer, settled } from '../testing/server';
import Recipients from './campaigns/Recipients.svelte';
import WhyDevice from './distribution/WhyDevice.svelte';
import EnrolmentTable from './sequences/EnrolmentTable.svelte';

let server: FakeServer;
beforeEach(() => void (server = new FakeServer()));

/** The requests of a component, at first and after each change of its properties. */
async function asked<Props extends Record<string, unknown>>(
  component: Component<Props>,
  props: Props,
  ...changes: (() => void)[]
): Promise<number[]> {
  const context = new Map([[KEY, { live: server.live, devices: { sorted: [] } }]]);
  const page = mount(component, { target: document.body, props, context });
  const counted: number[] = [];
  for (const change of [() => undefined, ...changes]) {
    change();
    flushSync();
    await settled();
    counted.push(server.calls.length);
  }
  await unmount(page);
  return counted;
}

it('the people of a sequence are fetched once, though their list is what comes', async () => {
  const sequence = { id: '3', step_count: 1, enrolments: {} } as unknown as SequenceWithSteps;
  // who asks without end is not answered without end
  const answer = () => (server.calls.length > 3 ? new Promise(() => undefined) : { items: [], next: null });
  server.on('GET /sequences/3/enrolments', answer);
  expect(await asked(EnrolmentTable, { sequence, able: true })).toEqual([1]);
});

it('the recipients of a campaign are fetched for another state and with the report, not for another figure', async () => {
  const counts = { total: 2, sent: 1, waiting: 1 };
  const report = () => ({ devices: [] }) as unknown as CampaignReport;
  server.on('GET /campaigns/7/recipients', () => ({ items: [], next: null }));
  const props = $state<{ campaign: Campaign; report: CampaignReport; bucket: null | 'sent' }>({
    campaign: { id: '7', counts } as unknown as Campaign,
    report: report(),
    bucket: null,
  });
  const tick = () =>
    (props.campaign = { ...props.campaign, counts: { ...props.campaign.counts, sent: 2, waiting: 0 } });
  const look = () => (props.report = report());
  expect(await asked(Recipients, props, tick, () => (props.bucket = 'sent'), look)).toEqual([1, 1, 2, 3]);
});

it('why a device has a lead is fetched for another device, not for another name', async () => {
  const props = $state({ lead: { id: '5', device_id: 'd1', name: 'Ali' } });
  const rename = () => (props.lead = { ...props.lead, name: 'Bala' });
  const move = () => (props.lead = { ...props.lead, device_id: 'd2' });
  expect(await asked(WhyDevice, props, rename, move)).toEqual([1, 1, 2]);
});
