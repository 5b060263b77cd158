import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { t } from '../i18n/index.svelte';
import { openPart, partMissing, styleAgain } from './parts';
import { toasts } from './toasts.svelte';

const page = (entry: string): string => `<!doctype html><head><script type="module" src="${entry}"></script></head>`;
const reload = vi.fn();

// nothing is fetched for the page of a test
const { settings } = (globalThis as unknown as { happyDOM: { settings: Record<string, boolean> } }).happyDOM;
Object.assign(settings, { disableCSSFileLoading: true, handleDisabledFileLoadingAsSuccess: true });

beforeEach(() => {
  document.head.innerHTML = '<script type="module" src="/assets/index-a.js"></script>';
  vi.stubGlobal('location', { reload });
});
afterEach(() => {
  vi.unstubAllGlobals();
  document.head.innerHTML = '';
  toasts.items = [];
  reload.mockClear();
});

it.each<[string, () => Promise<Response>, number]>([
  ['without a connection', () => Promise.reject(new TypeError('Failed to fetch')), 0],
  ['while the server restarts', () => Promise.resolve(new Response(page('/assets/b.js'), { status: 502 })), 0],
  ['from the same build', () => Promise.resolve(new Response(page('/assets/index-a.js'))), 0],
  ['when something else answers', () => Promise.resolve(new Response('<p>Sign in to this network</p>')), 0],
  ['after an update', () => Promise.resolve(new Response(page('/assets/index-b.js'))), 1],
])('a part that does not come %s: a reload only for a new build, else it is said once', async (_, answer, reloads) => {
  vi.stubGlobal('fetch', answer);
  await Promise.all([partMissing(), partMissing()]);
  expect(reload).toHaveBeenCalledTimes(reloads);
  expect(toasts.items.map((toast) => toast.text)).toEqual(reloads ? [] : [t('error.offline')]);
});

it('what was opened is closed again when its part does not come', async () => {
  const close = vi.fn();
  await openPart(Promise.resolve(1), close);
  expect(close).not.toHaveBeenCalled();
  await expect(openPart(Promise.reject(new Error('gone')), close)).rejects.toThrow('gone');
  expect(close).toHaveBeenCalledOnce();
});

it('a stylesheet that did not come is fetched again', () => {
  vi.useFakeTimers();
  document.head.innerHTML = '<link rel="stylesheet" href="/assets/part.css">';
  const [first] = document.head.children;
  addEventListener('error', styleAgain, { capture: true });
  first!.dispatchEvent(new Event('error'));
  vi.runAllTimers();
  removeEventListener('error', styleAgain, { capture: true });
  vi.useRealTimers();
  expect(document.head.children).toHaveLength(1);
  expect(document.head.firstElementChild).not.toBe(first);
  expect(document.head.firstElementChild!.getAttribute('href')).toBe('/assets/part.css');
});
