import { flushSync, mount, unmount } from 'svelte';
import { afterEach, expect, it, vi } from 'vitest';
import type { Device } from '../api/types';
import DeviceChoice from './DeviceChoice.svelte';

let page: Record<string, unknown> | null = null;
afterEach(async () => {
  if (page) await unmount(page);
});

function shown(count: number, chosen: string[] = [], only = false) {
  const devices = Array.from({ length: count }, (_, index) => ({
    id: `d${index}`,
    name: `Sales ${index}`,
    phone: `+6012${String(1_000_000 + index)}`,
    tags: index === 7 ? ['ipoh'] : [],
  })) as unknown as Device[];
  const onchange = vi.fn<(chosen: ReadonlySet<string>) => void>();
  const props = { devices, chosen: new Set(chosen), only, label: 'Devices', onchange };
  page = mount(DeviceChoice, { target: document.body, props });
  flushSync();
  return onchange;
}

const boxes = () => [...document.querySelectorAll<HTMLInputElement>('input:not([type=search])')];
const names = () => [...document.querySelectorAll('label')].map((label) => label.textContent.trim());

function type(words: string): void {
  const field = document.querySelector<HTMLInputElement>('input[type=search]')!;
  field.value = words;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  flushSync();
}

it('few are simply there', () => {
  shown(3, ['d1']);
  expect(boxes().map((box) => box.checked)).toEqual([false, true, false]);
  expect(document.querySelector('input[type=search]')).toBeNull();
});

it('of thousands those that match name, number or tag are shown, and no more than a page can draw', () => {
  shown(3000);
  expect(boxes()).toHaveLength(100);
  expect(document.body.textContent).toContain('and 2,900 more devices');
  for (const words of ['Sales 2999', '012-100 2999']) {
    type(words);
    expect(names()).toEqual(['Sales 2999']);
  }
  type('ipoh');
  expect(names()).toEqual(['Sales 7']);
  type('nothing like it');
  expect(boxes()).toHaveLength(0);
  expect(document.body.textContent).toContain('No device matches');
});

it('what is ticked joins what was chosen, shown or not', () => {
  const onchange = shown(3000, ['d2500']);
  type('Sales 2999');
  boxes()[0]!.click();
  expect(onchange).toHaveBeenCalledWith(new Set(['d2500', 'd2999']));
});

it('where one is meant, the one that is chosen takes the place of the other', () => {
  const onchange = shown(3000, ['d2500'], true);
  type('Sales 2999');
  expect(boxes().map((box) => box.type)).toEqual(['radio']);
  boxes()[0]!.click();
  expect(onchange).toHaveBeenCalledWith(new Set(['d2999']));
});
