import { expect, it } from 'vitest';
import { filesOf } from './pictures';

it('of what is dropped folders are no files', () => {
  const item = (name: string, isDirectory: boolean | null): unknown => ({
    kind: 'file',
    webkitGetAsEntry: () => (isDirectory === null ? null : { isDirectory }),
    getAsFile: () => new File(['x'], name),
  });
  const items = [item('a.png', false), item('Folder', true), item('pasted.png', null), { kind: 'string' }];
  const found = filesOf({ items } as unknown as DataTransfer);
  expect(found.map(({ name }) => name)).toEqual(['a.png', 'pasted.png']);
  expect(filesOf(null)).toEqual([]);
});
