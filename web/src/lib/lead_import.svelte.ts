/** One file of leads on its way in: sent, looked at, checked, taken in. */
import { api, data } from '../api/client';
import { transfer, type Transfer } from '../api/transfer';
import type { LeadImport } from '../api/types';
import { amount, t } from '../i18n/index.svelte';
import type { Live } from './live.svelte';
import { Snapshot } from './snapshot';

/** Should a word of the server get lost, it is asked by itself. Milliseconds. */
const ASK_MS = 3000;
/** How many of those before are shown. */
const MOST_LAST = 5;
export const AT_WORK: readonly LeadImport['state'][] = ['reading', 'checking', 'running'];

/** What was read is being written: the rows are gone through once more. */
export function isWriting({ state, written }: LeadImport): boolean {
  return state === 'running' && written > 0;
}

/** For a bar: how many rows are through, and of how many, which nobody knows before the file was read. */
export function progressOf(shown: LeadImport): { value?: number; max?: number } {
  return shown.rows ? { value: isWriting(shown) ? shown.written : shown.read, max: shown.rows } : {};
}

/** The same in words. */
export function progressWords(shown: LeadImport): string {
  const { value, max } = progressOf(shown);
  return value === undefined || max === undefined
    ? t('leads.import_progress', { n: amount(shown.read) })
    : t('bulk.progress', { done: amount(value), of: amount(max) });
}

/** The import that is at work now, whoever began it. */
export class CurrentImport {
  /** Null where there is none. */
  shown = $state.raw<LeadImport | null>(null);
  readonly #kind: LeadImport['kind'];
  readonly #onend: (ended: LeadImport) => void;
  readonly #snapshot: Snapshot;

  /** @param onend takes what was at work and is not any more, as it is now */
  constructor(live: Live, kind: LeadImport['kind'], onend: (ended: LeadImport) => void) {
    this.#kind = kind;
    this.#onend = onend;
    this.#snapshot = new Snapshot(live, (frame) => frame.code === 'IMPORT_UPDATE' && void this.#load());
  }

  /** Follows it until the result is called. */
  follow(): () => void {
    return this.#snapshot.follow(() => this.#load());
  }

  async #load(): Promise<void> {
    try {
      await this.#snapshot.take(
        () => newest(this.#kind),
        (found) => {
          const before = this.shown;
          this.shown = found.find((one) => AT_WORK.includes(one.state)) ?? null;
          const ended = before?.id === this.shown?.id ? undefined : found.find((one) => one.id === before?.id);
          if (ended) this.#onend(ended);
        },
      );
    } catch {
      // the page is none the worse for not knowing, and it is asked again
    }
  }
}

/** Those of a kind, the newest first. */
async function newest(kind: LeadImport['kind']): Promise<LeadImport[]> {
  const { items } = await data(api.GET('/api/v1/leads/imports', { params: { query: { limit: 50 } } }));
  return items.filter((one) => one.kind === kind);
}

export class ImportRun {
  /** Null before the file has arrived. */
  shown = $state.raw<LeadImport | null>(null);
  /** Share of the file that has left, from 0 to 1; null when none is being sent. */
  sending = $state<number | null>(null);
  /** The newest of this kind, also those that somebody has left: each goes on from where it is. */
  last = $state.raw<readonly LeadImport[]>([]);
  problem = $state.raw<unknown>(null);
  mapping = $state<string[]>([]);
  known = $state<'update' | 'leave'>('update');
  tags = $state.raw<string[]>([]);
  readonly kind: LeadImport['kind'];
  /** The columns are looked at again, though the server has it checked. */
  #isBack = false;
  #sent: Transfer<LeadImport> | null = null;
  readonly #snapshot: Snapshot;

  constructor(live: Live, kind: LeadImport['kind']) {
    this.#snapshot = new Snapshot(live, (frame) => {
      if (frame.code === 'IMPORT_UPDATE' && frame.result.id === this.shown?.id) void this.ask();
    });
    this.kind = kind;
  }

  /** Follows the import until the result is called. */
  follow(): () => void {
    const end = this.#snapshot.follow(() => this.ask());
    void this.#findLast();
    const timer = setInterval(() => {
      if (this.shown !== null && AT_WORK.includes(this.shown.state)) void this.ask();
    }, ASK_MS);
    return () => {
      end();
      clearInterval(timer);
      this.#sent?.cancel();
    };
  }

  async ask(): Promise<void> {
    if (this.shown === null) return;
    const params = { path: { import_id: this.shown.id } };
    try {
      await this.#snapshot.take(
        () => data(api.GET('/api/v1/leads/imports/{import_id}', { params })),
        (found) => this.#concerns(found) && this.#put(found),
      );
    } catch {
      // asked again soon
    }
  }

  /** Not what was asked of another file, or says what somebody has gone back from. */
  #concerns(found: LeadImport): boolean {
    return found.id === this.shown?.id && !(this.#isBack && found.state === 'checked');
  }

  async #findLast(): Promise<void> {
    try {
      this.last = (await newest(this.kind)).slice(0, MOST_LAST);
    } catch {
      // A file can be chosen all the same.
    }
  }

  /** Takes up one that was left. */
  goOn(one: LeadImport): void {
    this.problem = null;
    this.mapping = [...(one.mapping ?? [])];
    this.known = one.options.known ?? 'update';
    this.tags = [...(one.options.tags ?? [])];
    this.#put(one);
    void this.ask();
  }

  async send(file: File): Promise<void> {
    const form = new FormData();
    form.append('file', file, file.name);
    this.problem = null;
    this.sending = 0;
    try {
      this.#sent = transfer(`/api/v1/${this.kind}/import`, form, (share) => (this.sending = share));
      this.#put(await this.#sent.done);
    } catch (error) {
      this.problem = error;
    } finally {
      this.sending = null;
    }
  }

  /** Another sheet of a workbook, or CSV in another encoding. */
  look(body: { sheet: string } | { encoding: string }): Promise<void> {
    return this.#do((params) => data(api.POST('/api/v1/leads/imports/{import_id}/look', { params, body })));
  }

  /** Looks through the file without changing anything, or takes it in. */
  begin(how: 'check' | 'start'): Promise<void> {
    const { sheet = '', encoding = '' } = this.shown?.shape ?? {};
    const body = {
      mapping: this.mapping,
      options: { known: this.known, tags: this.tags, sheet, encoding, start: false },
    };
    const address =
      how === 'check' ? '/api/v1/leads/imports/{import_id}/check' : '/api/v1/leads/imports/{import_id}/start';
    return this.#do((params) => data(api.POST(address, { params, body })));
  }

  cancel(): Promise<void> {
    return this.#do((params) => data(api.POST('/api/v1/leads/imports/{import_id}/cancel', { params })));
  }

  again(): void {
    this.shown = null;
    void this.#findLast();
    this.problem = null;
  }

  /** Back to the columns of a file that was checked. */
  reconsider(): void {
    if (this.shown === null) return;
    this.shown = { ...this.shown, state: 'ready' };
    this.#isBack = true;
  }

  async #do(request: (params: { path: { import_id: string } }) => Promise<LeadImport>): Promise<void> {
    if (this.shown === null) return;
    this.problem = null;
    try {
      this.#put(await request({ path: { import_id: this.shown.id } }));
      void this.ask(); // instead of whatever was asked before
    } catch (error) {
      this.problem = error;
    }
  }

  #put(found: LeadImport): void {
    if (this.shown?.state !== 'ready' && found.state === 'ready') this.mapping = [...(found.mapping ?? [])];
    this.shown = found;
    this.#isBack = false;
  }
}
