import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LeadFilter } from '../api/types';
import { FakeServer, settled } from '../testing/server';
import { NO_WISH } from './lead_filters';
import { LeadHistory } from './lead_history.svelte';
import { ImportRun } from './lead_import.svelte';
import { Leads } from './leads.svelte';
import { toasts } from './toasts.svelte';

const AWAY = (): Response => Response.json({ title: 'Away' }, { status: 503 });

/** A server with one lead, that may be away. */
function server() {
  const network = { away: false, name: 'Aisyah' };
  const fake = new FakeServer();
  const on = (route: string, answer: () => unknown): void => {
    fake.on(route, () => (network.away ? AWAY() : answer()));
  };
  on('GET /leads', () => ({ items: [{ id: '1', name: network.name }], next: null }));
  on('GET /leads/count', () => ({ count: network.name.length }));
  on('GET /leads/terms', () => ({ tags: [network.name], fields: [] }));
  on('GET /segments', () => ({ items: [], next: null }));
  on('GET /leads/1/notes', () => ({ items: [{ id: '1', text: network.name }], next: null }));
  on('GET /leads/1/sends', () => ({ items: [], next: null }));
  on('GET /leads/imports/1', () => ({ id: '1', state: network.name }));
  /** Frames are missed, and the server cannot say what is true now until there is a connection again. */
  async function gap(): Promise<void> {
    Object.assign(network, { away: true, name: 'Siti' });
    fake.frame('RESYNC', { reason: 'too old' });
    await settled();
    network.away = false;
    fake.connect();
    await settled();
  }
  return { fake, network, gap };
}

describe('leads', () => {
  it('are fetched after a gap until they are here, with their number and their tags', async () => {
    const { fake, gap } = server();
    const leads = new Leads(fake.live);
    const end = leads.follow();
    await settled();
    expect([leads.list[0]!.name, leads.count, leads.tags]).toEqual(['Aisyah', 6, ['Aisyah']]);
    await gap();
    expect([leads.state, leads.list[0]!.name, leads.count, leads.tags]).toEqual(['ready', 'Siti', 4, ['Siti']]);
    end();
  });

  it('say why they break off, and go on once there is a connection again', async () => {
    const { fake, network } = server();
    const lead = (_: unknown, n: number): object => ({ id: String(n), name: '' });
    const first = Array.from({ length: 100 }, lead);
    fake.on('GET /leads', (_, url) =>
      network.away
        ? AWAY()
        : url.searchParams.has('after')
          ? { items: [lead(null, 100)], next: null }
          : { items: first, next: 'on' },
    );
    const leads = new Leads(fake.live);
    const end = leads.follow();
    await settled();
    network.away = true;
    await leads.more.load();
    expect([leads.list.length, leads.more.problem === null, leads.more.loading]).toEqual([100, false, false]);
    network.away = false;
    fake.connect();
    await settled();
    expect([leads.list.length, leads.more.problem]).toEqual([101, null]);
    end();
  });

  it('are shown though they cannot be counted', async () => {
    const { fake } = server();
    fake.on('GET /leads/count', AWAY);
    const leads = new Leads(fake.live);
    const end = leads.follow();
    await settled();
    expect([leads.state, leads.list.length, leads.count]).toEqual(['ready', 1, null]);
    end();
  });

  it('have their notes fetched until they are here', async () => {
    const { fake, gap } = server();
    const history = new LeadHistory('1', fake.live);
    const end = history.follow();
    await settled();
    await gap();
    expect([history.notes, history.problem]).toEqual([[{ id: '1', text: 'Siti' }], null]);
    end();
  });

  it('come in by a file whose state is asked for until it is known', async () => {
    const { fake, gap } = server();
    const run = new ImportRun(fake.live, 'leads');
    run.shown = { id: '1', state: 'ready' } as ImportRun['shown'];
    const end = run.follow();
    await settled();
    await gap();
    expect(run.shown!.state).toBe('Siti');
    end();
  });
});

describe('a file of leads', () => {
  type Shown = NonNullable<ImportRun['shown']>;
  const file = (id: string, state: Shown['state']): Shown => ({ id, state }) as Shown;

  /** An import that is shown, and whose state was asked for; `answer` gives what that was. */
  async function asked(state: Shown['state']) {
    let answer!: (value: unknown) => void;
    const fake = new FakeServer().on('GET /leads/imports/1', () => new Promise((resolve) => (answer = resolve)));
    const run = new ImportRun(fake.live, 'leads');
    run.shown = file('1', state);
    void run.ask();
    await settled();
    const late = async (found: Shown): Promise<void> => {
      answer(found);
      await settled();
    };
    return { fake, run, late };
  }

  it('does not come back when it was left', async () => {
    const { run, late } = await asked('checking');
    run.again();
    await late(file('1', 'checked'));
    expect(run.shown).toBeNull();
    run.shown = file('2', 'ready');
    void run.ask();
    await late(file('1', 'checked'));
    expect(run.shown.id).toBe('2');
  });

  it('stays at its columns when one went back to them', async () => {
    const { fake, run, late } = await asked('checked');
    run.reconsider();
    await late(file('1', 'checked'));
    expect(run.shown!.state).toBe('ready');
    fake.on('POST /leads/imports/1/check', () => file('1', 'checking'));
    fake.on('GET /leads/imports/1', () => file('1', 'checked'));
    await run.begin('check');
    await settled();
    expect(run.shown!.state).toBe('checked');
  });

  it('does not go back to what it was before it was begun', async () => {
    const { fake, run, late } = await asked('checked');
    fake.on('POST /leads/imports/1/start', () => file('1', 'running'));
    fake.on('GET /leads/imports/1', () => file('1', 'running'));
    await run.begin('start');
    await late(file('1', 'checked'));
    expect(run.shown!.state).toBe('running');
  });
});

describe('leads of a wish', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A server whose leads are asked for by filter. */
  function asked(segments: unknown[] = []) {
    const { fake } = server();
    const filters: LeadFilter[] = [];
    fake.on('GET /leads', (_, url) => {
      filters.push(JSON.parse(url.searchParams.get('filter')!) as LeadFilter);
      const first = Number(url.searchParams.get('after') ?? 0);
      const items = Array.from({ length: 100 }, (__, index) => ({ id: String(first + index + 1) }));
      return { items, next: String(first + 100) };
    });
    fake.on('GET /segments', () => ({ items: segments, next: null }));
    return { fake, filters };
  }

  it('are fetched though others change while one types, however far one has scrolled', async () => {
    vi.useFakeTimers();
    const { fake, filters } = asked();
    const leads = new Leads(fake.live);
    const end = leads.follow();
    await vi.advanceTimersByTimeAsync(10);
    for (let page = 0; page < 4; page += 1) {
      void leads.more.load();
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(leads.list).toHaveLength(500);
    leads.show({ ...NO_WISH, search: 'Siti' });
    await vi.advanceTimersByTimeAsync(100);
    fake.frame('LEAD_UPDATE', { ids: [] });
    filters.length = 0;
    await vi.advanceTimersByTimeAsync(100);
    expect(filters).toEqual([{ search: 'Siti' }]);
    end();
  });

  it('are fetched while others change all the time', async () => {
    vi.useFakeTimers();
    const { fake, filters } = asked();
    const end = new Leads(fake.live).follow();
    await vi.advanceTimersByTimeAsync(10);
    filters.length = 0;
    for (let change = 0; change < 10; change += 1) {
      fake.frame('LEAD_UPDATE', { ids: [] });
      await vi.advanceTimersByTimeAsync(400);
    }
    expect(filters.length).toBeGreaterThan(4);
    end();
  });

  it('do not go on with those of another', async () => {
    const { fake, filters } = asked();
    const leads = new Leads(fake.live);
    const end = leads.follow();
    await settled();
    filters.length = 0;
    leads.show({ ...NO_WISH, search: 'Siti' });
    await leads.more.load();
    expect(filters).toEqual([]);
    end();
  });

  it('are told from those of the wish before, until they are here', async () => {
    vi.useFakeTimers();
    const { fake, filters } = asked();
    const leads = new Leads(fake.live);
    const end = leads.follow();
    await vi.advanceTimersByTimeAsync(10);
    void leads.refresh(); // of the wish before, and answered after the next
    leads.show({ ...NO_WISH, search: 'Siti' });
    await vi.advanceTimersByTimeAsync(100);
    expect(leads.stale).toBe(true);
    await vi.advanceTimersByTimeAsync(100);
    expect([filters.at(-1), leads.stale]).toEqual([{ search: 'Siti' }, false]);
    end();
  });

  it('are nobody before the segment is known that the address names', async () => {
    const { fake, filters } = asked([{ id: '5', name: 'Quiet', filter: { quiet_days: 30 } }]);
    const leads = new Leads(fake.live);
    leads.wish = { ...NO_WISH, segment: '5' };
    const end = leads.follow();
    await settled();
    expect(filters).toEqual([{ quiet_days: 30 }]);
    expect(leads.state).toBe('ready');
    end();
  });

  it('are all where the segment is no more, and that is said', async () => {
    const { fake } = asked();
    const leads = new Leads(fake.live);
    leads.wish = { ...NO_WISH, segment: '5' };
    const end = leads.follow();
    await settled();
    expect([leads.wish.segment, leads.state]).toEqual(['', 'ready']);
    expect(toasts.items.at(-1)?.text).toBe('This segment does not exist any more.');
    end();
  });
});
