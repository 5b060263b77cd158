import { describe, expect, it } from 'vitest';
import { concerns, type Frame } from './frames';

const changed = (...ids: string[]): Frame => ({ id: 'e:1', code: 'LEAD_UPDATE', message: '', result: { ids } });

describe('what is shown of a lead', () => {
  it('may be old when it changed, when many did, and after frames were missed', () => {
    expect(concerns(changed('a', 'b'), 'a')).toBe(true);
    expect(concerns(changed(), 'a')).toBe(true);
    expect(concerns({ id: 'e:1', code: 'RESYNC', message: '', result: { reason: 'too old' } }, 'a')).toBe(true);
  });

  it('stays when others changed, unless any may be meant', () => {
    expect(concerns(changed('b'), 'a')).toBe(false);
    expect(concerns(changed('b'), undefined)).toBe(true);
    expect(concerns({ id: 'e:1', code: 'SEQUENCE_UPDATE', message: '', result: { id: 'a' } }, undefined)).toBe(false);
  });
});
