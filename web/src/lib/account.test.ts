import { beforeEach, expect, it } from 'vitest';
import type { Session } from '../api/types';
import { FakeServer, settled } from '../testing/server';
import { account } from './account.svelte';

const signedIn = (language: string): Session => ({ user: { id: '1', role: 'admin' }, language }) as unknown as Session;

/** A server whose answer to who is signed in is given by `answer`. */
async function asked() {
  let answer!: (value: unknown) => void;
  const server = new FakeServer().on('PATCH /session', () => signedIn('ms')).on('GET /session', () => signedIn('en'));
  await account.check();
  server.on('GET /session', () => new Promise((resolve) => (answer = resolve)));
  return { server, answer: (value: unknown) => answer(value) };
}

beforeEach(() => localStorage.clear());

it('keeps what was chosen while it was asked who is signed in', async () => {
  const { answer } = await asked();
  const checking = account.check();
  await settled();
  await account.change({ language: 'ms' });
  answer(signedIn('en'));
  await checking;
  expect(account.session?.language).toBe('ms');
});

it('keeps what was chosen though it was asked before that was answered', async () => {
  const { server, answer } = await asked();
  let checking!: Promise<void>;
  server.on('PATCH /session', async () => {
    checking = account.check();
    await settled();
    return signedIn('ms');
  });
  await account.change({ language: 'ms' });
  answer(signedIn('en'));
  await checking;
  expect(account.session?.language).toBe('ms');
});

it('is signed in though it was asked before who is', async () => {
  const { server, answer } = await asked();
  server.on('POST /session', () => signedIn('ms'));
  const checking = account.check();
  await settled();
  await account.signIn('siti@example.com', 'words');
  answer(Response.json({ title: 'Unauthorized' }, { status: 401 }));
  await checking;
  expect(account.state).toBe('in');
});

it('single keys do something unless this person has switched them off', async () => {
  const server = new FakeServer().on('GET /session', () => ({ ...signedIn('en'), single_keys: true }));
  server.on('PATCH /session', (body) => ({ ...signedIn('en'), ...(body as object) }));
  await account.check();
  expect(account.singleKeys).toBe(true);
  await account.change({ single_keys: false });
  expect(account.singleKeys).toBe(false);
});
