import { afterEach, describe, expect, it, vi } from 'vitest';
import { onSignedOut } from '../api/client';
import { message } from '../testing/samples';
import { RemoteFile, save } from './remote_file.svelte';
import { settled } from '../testing/server';
import { toasts } from './toasts.svelte';

const URL_OF_FILE = '/media/1-2.jpg';

/** The server answers with these statuses, one after the other; null is no answer. */
function server(...statuses: (number | null)[]): string[] {
  const asked: string[] = [];
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(url);
    const status = statuses.shift() ?? null;
    return status === null ? Promise.reject(new TypeError('offline')) : Promise.resolve(new Response('x', { status }));
  });
  return asked;
}

const file = (expired = false): RemoteFile => new RemoteFile(() => ({ url: URL_OF_FILE, expired }));

afterEach(() => void vi.unstubAllGlobals());

describe('RemoteFile', () => {
  it('says why a file did not come, and asks for it again when told to', async () => {
    server(409);
    const one = file();
    expect([one.src, one.failure]).toEqual([URL_OF_FILE, null]);
    await one.failed();
    expect(one.src).toBeNull();
    expect(one.failure).toContain('offline');
    one.again();
    expect([one.src, one.failure]).toEqual([`${URL_OF_FILE}?again=1`, null]);
  });

  it.each([
    [410, 'on the phone'],
    [507, 'no room'],
    [502, 'could not be fetched'],
    [null, 'cannot be reached'],
  ])('has words for %s', async (status, words) => {
    server(status);
    const one = file();
    await one.failed();
    expect(one.failure).toContain(words);
  });

  it('of who is not known any more ends the session, as any answer does', async () => {
    const signedOut = vi.fn();
    onSignedOut(signedOut);
    vi.stubGlobal('fetch', (url: string) => {
      const answer = new Response('', { status: 401 });
      return Promise.resolve(Object.defineProperty(answer, 'url', { value: `http://localhost${url}` }));
    });
    await file().failed();
    expect(signedOut).toHaveBeenCalledOnce();
  });

  it('does not load what is known to have expired, until a person wants it', () => {
    const asked = server();
    const one = file(true);
    expect(one.src).toBeNull();
    expect(one.failure).toContain('on the phone');
    one.again();
    expect(one.src).toBe(`${URL_OF_FILE}?again=1`);
    expect(asked).toEqual([]);
  });

  it('loads once more what has come meanwhile, and then says that it cannot be shown', async () => {
    server(206, 206);
    const one = file();
    await one.failed();
    expect([one.src, one.failure]).toEqual([`${URL_OF_FILE}?again=1`, null]);
    await one.failed();
    expect(one.failure).toContain('cannot show');
  });

  it('waits for its turn where it comes through the phone by itself, as others may be long in coming', () => {
    const files = [file(), file(), file()];
    const ends = files.map((one) => one.wait());
    const begun = (): boolean[] => files.map((one) => one.inTurn !== null);
    expect(begun()).toEqual([true, true, false]);
    files[0]!.loaded = true;
    ends[0]!();
    expect(begun()).toEqual([true, true, true]);
    ends.forEach((end) => end!());
    expect(begun()).toEqual([true, false, false]);
  });

  it('waits for none that comes through the phone where the server has it, unless it turns out that it has it no more', async () => {
    server(200);
    const ends = [file(), file(), file()].map((one) => one.wait());
    const here = new RemoteFile(() => ({ url: URL_OF_FILE, expired: false, stored: true }));
    expect([here.wait(), here.inTurn]).toEqual([undefined, URL_OF_FILE]);
    expect(new RemoteFile(() => ({ url: 'blob:own', expired: false })).inTurn).toBe('blob:own');
    await here.failed();
    const end = here.wait();
    expect([here.inTurn, here.failure]).toEqual([null, null]);
    for (const one of [...ends, end]) one!();
  });

  it('is one turn to its end where it is a film that plays by itself, and then plays from the page', async () => {
    const answers: (() => void)[] = [];
    vi.stubGlobal('fetch', (_: string, { signal }: RequestInit) => {
      return new Promise((resolve, reject) => {
        answers.push(() => resolve(new Response('film', { status: 200 })));
        signal!.addEventListener('abort', () => reject(signal!.reason as Error));
      });
    });
    const films = [1, 2, 3, 4].map(() => new RemoteFile(() => ({ url: URL_OF_FILE, expired: false, stored: true })));
    const ends = films.map((one) => one.waitWhole());
    expect([answers.length, films[0]!.whole]).toEqual([3, null]);
    answers[0]!();
    await settled();
    expect([films[0]!.whole?.slice(0, 5), answers.length]).toEqual(['blob:', 3]);
    ends[0]!();
    expect(answers).toHaveLength(4);
    ends.slice(1).forEach((end) => end!());
    await settled();
    expect(films.map((one) => one.failure)).toEqual([null, null, null, null]);
    films.forEach((one) => one.drop());
    expect(films[0]!.whole).toBeNull();
  });

  it('says why a film that plays by itself did not come', async () => {
    server(410);
    const film = file();
    const end = film.waitWhole();
    await settled();
    expect([film.whole, film.failure]).toEqual([null, expect.stringContaining('on the phone')]);
    end!();
  });

  it('says of what was there that it cannot be shown', async () => {
    server(206, 206, 206);
    const one = file();
    expect(await one.fetch()).toBe(true);
    await one.failed();
    await one.failed();
    expect(one.failure).toContain('cannot show');
  });

  it('waits for the server to fetch it before it is played or saved', async () => {
    const asked = server(206);
    const one = file();
    const waiting = one.fetch();
    expect(one.fetching).toBe(true);
    expect(await waiting).toBe(true);
    expect([one.fetching, one.loaded, asked]).toEqual([false, true, [URL_OF_FILE]]);
    expect(await one.fetch()).toBe(true);
    expect(asked).toHaveLength(1);
  });

  it('asks nobody for what this page made itself', async () => {
    const asked = server();
    const own = new RemoteFile(() => ({ url: 'blob:own', expired: false }));
    expect([await own.fetch(), own.failure, asked]).toEqual([true, null, []]);
  });

  it('is saved only once it is there: a refusal is said, not saved', async () => {
    const saved = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => undefined);
    server(409);
    await save(message({ id: '1', media_url: URL_OF_FILE }));
    expect(saved).not.toHaveBeenCalled();
    expect(toasts.items.at(-1)?.text).toContain('offline');
    server(206);
    await save(message({ id: '1', media_url: URL_OF_FILE }));
    expect(saved).toHaveBeenCalledOnce();
  });
});
