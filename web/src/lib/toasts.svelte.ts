/** Short notices that go by themselves; errors stay longer. Read out by screen readers (components/Toasts.svelte). */
import { Problem } from '../api/problem';
import { t } from '../i18n/index.svelte';

export interface Toast {
  id: number;
  kind: 'done' | 'error';
  text: string;
}

/** Milliseconds: long enough to read twice. */
const STAY = { done: 4000, error: 8000 };

class Toasts {
  items = $state<Toast[]>([]);
  #next = 1;

  #add(kind: Toast['kind'], text: string): void {
    const id = this.#next++;
    this.items.push({ id, kind, text });
    setTimeout(() => this.dismiss(id), STAY[kind]);
  }

  done(text: string): void {
    this.#add('done', text);
  }

  error(error: unknown): void {
    this.#add('error', explain(error));
  }

  dismiss(id: number): void {
    this.items = this.items.filter((toast) => toast.id !== id);
  }
}

/** An error in words for the person who met it. */
export function explain(error: unknown): string {
  if (error instanceof Problem) return error.status === 0 ? t('error.offline') : error.message;
  return t('error.generic', { reason: error instanceof Error ? error.message : String(error) });
}

export const toasts = new Toasts();
