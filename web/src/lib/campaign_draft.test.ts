import { flushSync, mount, unmount } from 'svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Campaign } from '../api/types';
import AudienceStep from '../components/campaigns/AudienceStep.svelte';
import CheckStep from '../components/campaigns/CheckStep.svelte';
import WhenStep from '../components/campaigns/WhenStep.svelte';
import { outbox } from '../testing/samples';
import { FakeServer, settled } from '../testing/server';
import { KEY } from './workspace.svelte';
import { CampaignDraft } from './campaign_draft.svelte';

const SCHEDULE = { date: '2099-03-01', time: '09:30:00', zone: 'Asia/Kuala_Lumpur' };
const STORED = {
  id: '7',
  name: 'Raya',
  state: 'scheduled',
  audience: {},
  message: { type: 'text', text: 'Hi' },
  pace: { min_seconds: 10, max_seconds: 30, days: ['mon'] },
  device_ids: null,
  may_move: false,
  expires_at: null,
  schedule: SCHEDULE,
} as unknown as Campaign;

let server: FakeServer;
let draft: CampaignDraft;
beforeEach(() => {
  server = new FakeServer();
  draft = new CampaignDraft(() => 'Untitled');
  draft.put(STORED);
});

function sent(): unknown[] {
  const bodies = server.calls.filter((call) => /^(POST|PATCH) /u.test(call.route)).map((call) => call.body);
  return bodies.map((body) => (body as { message: { text: string } }).message.text);
}

function write(text: string): void {
  draft.message = { type: 'text', text };
  draft.touch();
}

describe('a campaign that is written', () => {
  it('stores what was changed here, and takes what another browser changes of the rest', async () => {
    let stored = { ...STORED, state: 'draft' } as Campaign;
    const change = (body: unknown): Campaign => (stored = { ...stored, ...(body as Partial<Campaign>) });
    server.on('PATCH /campaigns/7', change).on('GET /campaigns/7', () => stored);
    const end = draft.follow(server.live);
    server.frame('CAMPAIGN_UPDATE', change({ message: { type: 'text', text: 'Hi from elsewhere' } }));
    draft.name = 'Raya sale ';
    draft.touch();
    await settled();
    expect([draft.message.text, draft.name]).toEqual(['Hi from elsewhere', 'Raya sale ']);
    change({ expires_at: '2099-01-01T00:00:00Z' });
    expect(await draft.save()).toBe(true);
    expect(server.calls.at(-1)?.body).toEqual({ name: 'Raya sale', draft: true });
    expect([draft.name, draft.expiresAt]).toEqual(['Raya sale ', '2099-01-01T00:00:00Z']);

    // an own change that comes back as a frame is none of another's
    const asked = server.calls.length;
    server.frame('CAMPAIGN_UPDATE', stored);
    await settled();
    expect(server.calls).toHaveLength(asked);
    end();
  });

  it('says that it is no longer scheduled though its own change comes back before the answer to it', async () => {
    const stored = { ...STORED, name: 'Raya sale', state: 'draft' } as Campaign;
    server
      .on('GET /campaigns/7', () => stored)
      .on('PATCH /campaigns/7', () => {
        server.frame('CAMPAIGN_UPDATE', stored);
        return stored;
      });
    const end = draft.follow(server.live);
    draft.name = 'Raya sale';
    draft.touch();
    expect(await draft.save()).toBe(true);
    await vi.waitFor(() => expect(server.calls.at(-1)?.route).toBe('GET /campaigns/7'));
    await settled();
    expect(draft.scheduled).toBe('not any more');
    end();
  });

  it.each([
    ['begun', { ...STORED, state: 'planning' } as Campaign],
    ['gone', { id: '7', deleted: true } as const],
  ])('is not written any more once it is %s, and can be kept as another', async (became, result) => {
    server.on('POST /campaigns', () => ({ ...STORED, id: '8', state: 'draft' }));
    const end = draft.follow(server.live);
    write('Last words');
    server.frame('CAMPAIGN_UPDATE', result);
    expect(draft.became).toBe(became);
    expect(await draft.save()).toBe(false);
    expect(sent()).toEqual([]);
    expect(await draft.renew()).toBe(true);
    expect([draft.became, draft.id, sent()]).toEqual([null, '8', ['Last words']]);
    end();
  });

  it('that is kept as another hears nothing more of the one before', async () => {
    const answers: ((found: unknown) => void)[] = [];
    server.on('GET /campaigns/7', () => new Promise((resolve) => answers.push(resolve)));
    server.on('GET /campaigns/8', () => ({ ...STORED, id: '8', state: 'draft' }));
    server.on('POST /campaigns', () => ({ ...STORED, id: '8', state: 'draft' }));
    const end = draft.follow(server.live);
    server.frame('CAMPAIGN_UPDATE', { ...STORED, name: 'Of another' } as Campaign);
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    server.frame('CAMPAIGN_UPDATE', { id: '7', deleted: true });
    expect(await draft.renew()).toBe(true);
    answers[0]!({ ...STORED, state: 'running' });
    await settled();
    expect([draft.became, draft.id]).toEqual([null, '8']);
    end();
  });

  it('is as the last of two changes elsewhere left it, though the answer to the first comes last', async () => {
    const answers: ((found: unknown) => void)[] = [];
    server.on('GET /campaigns/7', () => new Promise((resolve) => answers.push(resolve)));
    const end = draft.follow(server.live);
    const [first, second] = ['First', 'Second'].map((name) => ({ ...STORED, name, state: 'draft' }) as Campaign);
    server.frame('CAMPAIGN_UPDATE', first!);
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    server.frame('CAMPAIGN_UPDATE', second!);
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    answers[1]!(second);
    await settled();
    answers[0]!(first);
    await settled();
    expect(draft.name).toBe('Second');
    end();
  });

  it('is found to have begun by who was told nothing, and is refused', async () => {
    server.on('PATCH /campaigns/7', () => Response.json({ type: 'urn:x', title: 'No', status: 409 }, { status: 409 }));
    server.on('GET /campaigns/7', () => ({ ...STORED, state: 'running' }));
    write('Last words');
    expect(await draft.save()).toBe(false);
    await vi.waitFor(() => expect(draft.became).toBe('begun'));
  });

  it('is counted again when a device goes', async () => {
    server.on('POST /campaigns/preview', () => ({ recipients: server.calls.length, devices: [] }));
    const end = draft.follow(server.live);
    draft.count();
    await vi.waitFor(() => expect(draft.estimate?.recipients).toBe(1));
    server.frame('DEVICE_STATUS', { id: 'd1', deleted: true });
    server.frame('DEVICE_STATUS', { id: 'd2', deleted: true });
    await vi.waitFor(() => expect(draft.estimate?.recipients).toBe(2), { timeout: 20_000 });
    draft.leave();
    end();
  }, 30_000);

  it('does not begin by itself from the first change on, also when it is to begin at once now', async () => {
    server.on('PATCH /campaigns/7', () => STORED);
    expect(draft.scheduled).toBe('yes');
    draft.schedule = null;
    draft.touch();
    expect(await draft.save()).toBe(true);
    expect(server.calls[0]?.body).toMatchObject({ schedule: null, draft: true });
    expect(draft.scheduled).toBe('not any more');
  });

  it('keeps for when it is meant, without beginning then by itself', async () => {
    server.on('PATCH /campaigns/7', () => STORED);
    draft.schedule = { ...SCHEDULE, time: '10:00:00' };
    draft.touch();
    expect(await draft.save()).toBe(true);
    expect(server.calls[0]?.body).toMatchObject({ schedule: { time: '10:00:00' }, draft: true });
  });

  it('is saved for nobody before the last words are', async () => {
    const answers: (() => void)[] = [];
    server.on('PATCH /campaigns/7', () => new Promise((resolve) => answers.push(() => resolve(STORED))));
    write('Hi there');
    void draft.save();
    await settled();
    write('Hi again');
    let begun = false;
    void draft.save();
    const start = draft.save().then(() => (begun = true));
    answers[0]!();
    await settled();
    expect([begun, sent()]).toEqual([false, ['Hi there', 'Hi again']]);
    answers[1]!();
    await start;
    expect([begun, draft.saved]).toEqual([true, true]);
  });

  it('is stored as it is shown before it begins, whatever another browser has stored', async () => {
    server.on('PATCH /campaigns/7', () => STORED);
    expect(await draft.save()).toBe(true);
    expect(sent()).toEqual([]);
    expect(await draft.confirm()).toBe(true);
    expect(sent()).toEqual(['Hi']);
  });

  it('is tested without a change of what is stored, and a new one is stored first', async () => {
    server.on('PATCH /campaigns/7', () => STORED).on('POST /campaigns', () => ({ ...STORED, id: '8' }));
    for (const id of ['7', '8']) server.on(`POST /campaigns/${id}/test`, () => outbox({ id: '5', state: 'sent' }));
    const fresh = new CampaignDraft(() => 'Untitled');
    for (const [id, one] of [
      ['7', draft],
      ['8', fresh],
    ] as const) {
      const context = new Map([[KEY, { devices: { byId: new Map() }, live: server.live }]]);
      const page = mount(CheckStep, { target: document.body, props: { draft: one }, context });
      const to = document.querySelector<HTMLInputElement>('#test-to')!;
      to.value = '0123456789';
      to.dispatchEvent(new Event('input', { bubbles: true }));
      flushSync();
      document.querySelector<HTMLButtonElement>('.test button')!.click();
      await vi.waitFor(() => expect(server.calls.at(-1)?.route).toBe(`POST /campaigns/${id}/test`));
      await unmount(page);
    }
    expect(draft.scheduled).toBe('yes');
    expect(server.calls.map((call) => call.route)).toEqual([
      'POST /campaigns/7/test',
      'POST /campaigns',
      'POST /campaigns/8/test',
    ]);
  });

  it('says before it begins whom it goes to, with which file, and what of its words is likely not meant so', async () => {
    server.on('POST /campaigns/render', () => ({ text: 'Hi', problems: ['Who has no city gets {city}.'], doubts: [] }));
    draft.audience = { tags: ['vip'], device_ids: ['d1', 'd2'], quiet_days: 30, fields: { city: 'Ipoh' } };
    draft.message = { type: 'document', text: 'Hi {city}', media_id: 'ab', file_name: 'prices.pdf' };
    draft.schedule = { ...SCHEDULE, date: '2020-01-01' };
    const devices = { state: 'ready', byId: new Map([['d1', { name: 'Sales' }]]) };
    const context = new Map([[KEY, { devices, live: server.live }]]);
    const page = mount(CheckStep, { target: document.body, props: { draft }, context });
    await vi.waitFor(() => expect(document.querySelector('.warnings')?.textContent).toContain('gets {city}'));
    const said = [...document.querySelectorAll('dd')].map((one) => one.textContent.trim());
    expect(said).toContain('prices.pdf');
    for (const warning of ['Its day and time are over', 'A device that was chosen is deleted'])
      expect(document.querySelector('.warnings')?.textContent).toContain(warning);
    expect([...document.querySelectorAll('dd p')].map((one) => one.textContent)).toEqual([
      'Has all of these tags: vip',
      'Device that writes to them: Sales, A device that was deleted',
      'Quiet for so many days: 30',
      'A condition of your list holds as well.',
    ]);
    await unmount(page);
  });

  it('shows which device it was for though that was deleted, and that it is for several, and takes days that can be', async () => {
    const devices = { sorted: [{ id: 'd1', name: 'Sales' }], state: 'ready', byId: new Map([['d1', {}]]) };
    const context = new Map([[KEY, { devices }]]);
    const chosen = (): string => {
      const field = document.querySelector<HTMLSelectElement>('#audience-device')!;
      return field.selectedOptions[0]?.textContent ?? '';
    };
    const page = mount(AudienceStep, { target: document.body, props: { draft, known: [], segments: [] }, context });
    const days = document.querySelector<HTMLInputElement>('#audience-quiet')!;
    for (const [typed, taken] of [
      ['-3', 0],
      ['1.6', 2],
      ['99999', 3650],
    ] as const) {
      days.value = typed;
      days.dispatchEvent(new Event('input', { bubbles: true }));
      expect(draft.audience.quiet_days).toBe(taken);
    }
    for (const [device_ids, words] of [
      [['gone'], 'A device that was deleted'],
      [['d1', 'gone'], '2 devices'],
      [['d1'], 'Sales'],
    ] as const) {
      draft.audience = { device_ids: [...device_ids] };
      flushSync();
      expect(chosen()).toBe(words);
    }
    draft.leave();
    await unmount(page);
  });

  it('can give up a device that was deleted', async () => {
    draft.deviceIds = ['gone'];
    const context = new Map([[KEY, { devices: { sorted: [], state: 'ready', byId: new Map() } }]]);
    const page = mount(WhenStep, { target: document.body, props: { draft }, context });
    const box = [...document.querySelectorAll('label')].find((one) => one.textContent.includes('was deleted'))!;
    box.querySelector('input')!.click();
    flushSync();
    expect(draft.deviceIds).toBeNull();
    draft.leave();
    await unmount(page);
  });

  it('is created once, whatever is typed after the answer to the first save was lost', async () => {
    const texts: unknown[] = [];
    const fresh = new CampaignDraft(() => 'Untitled');
    server.on('PATCH /campaigns/8', (body) => (texts.push(['change', (body as Campaign).name]), STORED));
    server.on('POST /campaigns', (body) => {
      texts.push(['create', (body as Campaign).name]);
      if (texts.length === 1) throw new TypeError('network');
      return { ...STORED, id: '8' };
    });
    fresh.name = 'Ra';
    fresh.touch();
    expect(await fresh.save()).toBe(false);
    fresh.name = 'Raya';
    fresh.touch();
    expect(await fresh.save()).toBe(true);
    expect(texts).toEqual([
      ['create', 'Ra'],
      ['create', 'Ra'],
      ['change', 'Raya'],
    ]);
  });

  it('is created as it was mended after the server refused it', async () => {
    const fresh = new CampaignDraft(() => 'Untitled');
    server.on('POST /campaigns', () => Response.json({ type: 'urn:x', title: 'No', status: 422 }, { status: 422 }));
    fresh.touch();
    expect(await fresh.save()).toBe(false);
    server.on('POST /campaigns', () => ({ ...STORED, id: '8' }));
    fresh.message = { type: 'text', text: 'Mended' };
    fresh.touch();
    expect(await fresh.save()).toBe(true);
    expect(sent().slice(1)).toEqual(['Mended']);
  });

  it('is saved by itself once the server answers again, and once more when it is left before', async () => {
    let isAway = true;
    server.on('PATCH /campaigns/7', () => {
      if (isAway) throw new TypeError('network');
      return STORED;
    });
    write('First words');
    expect(await draft.save()).toBe(false);
    isAway = false;
    await vi.waitFor(() => expect(draft.saved).toBe(true), { timeout: 20_000 });

    isAway = true;
    write('Last words');
    expect(await draft.save()).toBe(false);
    isAway = false;
    draft.leave();
    await vi.waitFor(() => expect(draft.saved).toBe(true));
    expect(sent().at(-1)).toBe('Last words');
  }, 30_000);

  it('is not saved when the server refused it, and is tried again by the next who asks', async () => {
    server.on('PATCH /campaigns/7', () => Response.json({ type: 'urn:x', title: 'No', status: 409 }, { status: 409 }));
    server.on('GET /campaigns/7', () => STORED);
    write('Hi again');
    expect(await draft.save()).toBe(false);
    server.on('PATCH /campaigns/7', () => STORED);
    expect(await draft.save()).toBe(true);
    expect(sent()).toEqual(['Hi again', 'Hi again']);
  });

  it('takes gaps as they are typed, key by key, and says what is wrong with half of one', async () => {
    server.on('PATCH /campaigns/7', () => STORED);
    const context = new Map([[KEY, { devices: { sorted: [], state: 'ready', byId: new Map() } }]]);
    const page = mount(WhenStep, { target: document.body, props: { draft }, context });
    const field = (end: string): HTMLInputElement => document.querySelector(`#pace-${end}_seconds`)!;
    const type = (end: string, ...keys: string[]): void => {
      field(end).value = '';
      for (const key of keys) {
        field(end).value += key;
        field(end).dispatchEvent(new Event('input', { bubbles: true }));
        flushSync();
      }
    };
    type('max', '5');
    expect([field('max').value, draft.lacksGaps, draft.pace.max_seconds]).toEqual(['5', true, 30]);
    expect(field('max').nextElementSibling?.textContent).toBe('5 is less than the shortest gap, 10.');
    type('max', '5', '0');
    expect(draft.pace).toMatchObject({ min_seconds: 10, max_seconds: 50 });
    type('min', '');
    expect([field('min').value, draft.lacksGaps]).toEqual(['', true]);
    type('min', '5');
    expect([draft.pace, draft.lacksGaps]).toMatchObject([{ min_seconds: 5, max_seconds: 50 }, false]);
    draft.leave();
    await unmount(page);
  });

  it('is not counted by what was asked before the last change', async () => {
    let answer!: (value: unknown) => void;
    server.on('POST /campaigns/preview', () => new Promise((resolve) => (answer = resolve)));
    draft.count();
    await vi.waitFor(() => expect(server.calls).toHaveLength(1));
    draft.count();
    answer({ recipients: 3 });
    await settled();
    expect([draft.estimate, draft.counting]).toEqual([null, true]);
    draft.leave();
  });
});
