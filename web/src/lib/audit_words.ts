/** A line of the audit log in words. */
import type { AuditLine } from '../api/types';
import { enAudit, type AuditKey } from '../i18n/en_audit';
import { wordsOf } from '../i18n/index.svelte';
import { msAudit } from '../i18n/ms_audit';
import { showPhone } from './phone';

export const words = wordsOf<AuditKey>({ en: enAudit, ms: msAudit });

/** What things are done to, in the order of the alphabet. */
export const KINDS = Object.keys(enAudit).flatMap((key) => (key.startsWith('kind_') ? key.slice(5) : []));

/** `Aina`, `CRM (API key)`, `Command line`. */
export function who({ actor, actor_name: name }: Pick<AuditLine, 'actor' | 'actor_name'>): string {
  if (actor === 'system') return words('system');
  if (actor.startsWith('key:')) return words('key', { name: name ?? actor.slice(4) });
  return name ?? actor;
}

/** `Campaign: started`; an action that has no words here is shown as the server calls it. */
export function what(action: string): string {
  const [kind = '', verb = ''] = action.split('.');
  return `${part('kind', kind)}: ${part('verb', verb)}`;
}

/** What it was done to, as a person knows it; empty when it has no name. */
export function whom({ subject_name: name }: Pick<AuditLine, 'subject_name'>): string {
  return name !== null && /^\+\d+$/u.test(name) ? showPhone(name) : (name ?? '');
}

/** A part of an action, or how the server calls it. */
export function part(which: 'kind' | 'verb', said: string): string {
  const key = `${which}_${said}`;
  return key in enAudit ? words(key as AuditKey) : said.replaceAll('_', ' ');
}
