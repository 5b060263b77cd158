import { describe, expect, it } from 'vitest';
import { FakeServer, settled } from '../testing/server';
import { LeadHistory } from './lead_history.svelte';
import { ImportRun } from './lead_import.svelte';
import { Leads } from './leads.svelte';

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
