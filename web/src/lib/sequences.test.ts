import { beforeEach, describe, expect, it } from 'vitest';
import { FakeServer, settled } from '../testing/server';
import { Enrolments, SequenceList } from './sequences.svelte';

let server: FakeServer;
beforeEach(() => {
  server = new FakeServer();
});

describe('sequences', () => {
  it('are fetched again when one changed, and not for another page’s frames', async () => {
    const list = new SequenceList(server.live);
    const end = list.follow();
    await settled();
    server.frame('SEQUENCE_UPDATE', { id: '7' });
    await settled();
    server.frame('LABELS_UPDATE', { items: [] });
    await settled();
    expect(server.calls.map((call) => call.route)).toEqual(['GET /sequences', 'GET /sequences']);
    expect(list.list).toEqual([]);
    end();
  });

  it('show the answer to the last question, whichever comes last', async () => {
    const answers: ((value: unknown) => void)[] = [];
    server.on('GET /sequences/7/enrolments', () => new Promise((resolve) => answers.push(resolve)));
    const enrolments = new Enrolments('7', server.live);
    const first = enrolments.load();
    enrolments.state = 'paused';
    const second = enrolments.load();
    await settled();
    answers[1]!({ items: [{ id: '2' }], next: null });
    await second;
    answers[0]!({ items: [{ id: '1' }], next: null });
    await first;
    expect(enrolments.list).toEqual([{ id: '2' }]);
  });

  it('are fetched after a gap until they are here, though more was asked for meanwhile', async () => {
    let away = false;
    server.on('GET /sequences/7/enrolments', (_, url) => {
      if (url.searchParams.get('after') === 'p2') return { items: [{ id: '1' }], next: null };
      return away ? Response.json({ title: 'Away' }, { status: 503 }) : { items: [{ id: '2' }], next: 'p2' };
    });
    const enrolments = new Enrolments('7', server.live);
    const end = enrolments.follow();
    await settled();
    away = true;
    server.frame('RESYNC', { reason: 'too old' });
    await settled();
    await enrolments.more();
    expect(enrolments.list).toEqual([{ id: '2' }, { id: '1' }]);
    away = false;
    server.on('GET /sequences/7/enrolments', () => ({ items: [{ id: '3' }], next: null }));
    server.connect();
    await settled();
    expect(enrolments.list).toEqual([{ id: '3' }]);
    end();
  });
});
