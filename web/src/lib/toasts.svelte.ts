/** Short notices that go by themselves; errors stay longer. Read out by screen readers (components/Toasts.svelte). */
import { untrack } from 'svelte';
import { Problem } from '../api/problem';
import { t, told } from '../i18n/index.svelte';

export interface ToastAction {
  label: string;
  run: () => void;
}

export interface Toast {
  id: number;
  kind: 'done' | 'error';
  text: string;
  action: ToastAction | null;
}

/** Milliseconds: long enough to read twice; with something to press, to think about it. */
const STAY = { done: 4000, error: 8000, action: 15_000 };

class Toasts {
  items = $state<Toast[]>([]);
  #next = 1;

  #add(kind: Toast['kind'], text: string, action: ToastAction | null = null): void {
    const id = this.#next++;
    // an effect that says something has not read what was said: it would say it again, without end
    untrack(() => this.items.push({ id, kind, text, action }));
    setTimeout(() => this.dismiss(id), STAY[action ? 'action' : kind]);
  }

  /** @param action what can still be done about it, for example taking it back */
  done(text: string, action: ToastAction | null = null): void {
    this.#add('done', text, action);
  }

  error(error: unknown): void {
    this.#add('error', explain(error));
  }

  /** What went wrong, said already in words for people. */
  failed(text: string): void {
    this.#add('error', text);
  }

  dismiss(id: number): void {
    this.items = this.items.filter((toast) => toast.id !== id);
  }
}

/** An error in words for the person who met it. */
export function explain(error: unknown): string {
  if (error instanceof Problem && error.status === 0) return t('error.offline');
  const reason = error instanceof Error ? error.message : String(error);
  const words = error instanceof Problem ? told(error.kind, reason) : null;
  return words ?? t('error.generic', { reason });
}

export const toasts = new Toasts();
