import { afterEach, describe, expect, it } from 'vitest';
import { language } from '../i18n/index.svelte';
import { KINDS, what, who, whom } from './audit_words';

afterEach(() => language.use('en'));

describe('a line of the audit log', () => {
  it('names the person, the key or the command line', () => {
    expect(who({ actor: 'user:7', actor_name: 'Aina' })).toBe('Aina');
    expect(who({ actor: 'key:3', actor_name: 'CRM' })).toBe('CRM (API key)');
    expect(who({ actor: 'key:3', actor_name: null })).toBe('3 (API key)');
    expect(who({ actor: 'system', actor_name: null })).toBe('Command line');
  });

  it('says what was done, in the language in use', async () => {
    expect(what('campaign.start')).toBe('Campaign: started');
    expect(what('device.teleport_home')).toBe('Device: teleport home');
    await language.use('ms');
    expect(what('campaign.start')).toBe('Kempen: dimulakan');
  });

  it('shows numbers as everywhere', () => {
    expect(whom({ subject_name: '+60123456789' })).toBe('+60 12-345 6789');
    expect([whom({ subject_name: 'Raya' }), whom({ subject_name: null })]).toEqual(['Raya', '']);
  });

  it('is of a kind that can be chosen', () => {
    expect(KINDS).toContain('campaign');
    expect(KINDS).not.toContain('title');
  });
});
