import { describe, expect, it } from 'vitest';
import { countries } from './countries';

describe('countries', () => {
  it('are in the order of their names, and only countries', () => {
    const found = countries('en');
    const names = found.map((one) => one.name);
    expect(found.find((one) => one.code === 'MY')?.name).toBe('Malaysia');
    expect(names).toEqual([...names].sort((one, other) => one.localeCompare(other, 'en')));
    expect(found.length).toBeGreaterThan(200);
    expect(names).not.toContain('European Union');
  });
});
