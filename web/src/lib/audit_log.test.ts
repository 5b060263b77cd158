import { describe, expect, it } from 'vitest';
import { query } from './audit_log.svelte';

const NONE = { actor: '', kind: '', from: '', to: '' };

describe('what the audit log is asked for', () => {
  it('is only what somebody chose', () => {
    expect(query(NONE, 'UTC')).toEqual({});
    expect(query({ ...NONE, actor: 'user:7', kind: 'campaign' }, 'UTC')).toEqual({
      actor: 'user:7',
      action: 'campaign',
    });
  });

  it('counts both days whole, in the account’s zone', () => {
    const day = { ...NONE, from: '2026-12-31', to: '2026-12-31' };
    expect(query(day, 'Asia/Kuala_Lumpur')).toEqual({
      from: '2026-12-30T16:00:00.000Z',
      to: '2026-12-31T16:00:00.000Z',
    });
  });
});
