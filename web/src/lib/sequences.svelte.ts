/** Sequences as pages show them, fetched again when the socket says that one changed. */
import { api, data, requestKey } from '../api/client';
import { pages } from '../api/pages';
import { Problem } from '../api/problem';
import type { Enrolment, Sequence, SequenceReport, SequenceWithSteps, StepFields } from '../api/types';
import type { Live } from './live.svelte';
import { Snapshot } from './snapshot';

/** Between two fetches while messages leave: figures move with every tick of every message. Milliseconds. */
const FIGURES = 2000;
const PAGE = 50;

/** Calls `load` at `SEQUENCE_UPDATE` of `id` (null: of any). */
function snapshotOf(live: Live, id: string | null, load: () => Promise<void>): Snapshot {
  return new Snapshot(live, (frame) => {
    if (frame.code === 'SEQUENCE_UPDATE' && (id === null || frame.result.id === id)) void load();
  });
}

export class SequenceList {
  list = $state.raw<readonly Sequence[] | null>(null);
  problem = $state.raw<unknown>(null);
  readonly #snapshot: Snapshot;

  constructor(live: Live) {
    this.#snapshot = snapshotOf(live, null, () => this.load());
  }

  follow(): () => void {
    return this.#snapshot.follow(() => this.load());
  }

  async load(): Promise<void> {
    try {
      await this.#snapshot.take(
        () => pages((after) => data(api.GET('/api/v1/sequences', { params: { query: { limit: 200, after } } }))),
        (all) => ([this.list, this.problem] = [all.items, null]),
      );
    } catch (error) {
      this.problem = error;
    }
  }
}

export class OneSequence {
  shown = $state.raw<SequenceWithSteps | null>(null);
  report = $state.raw<SequenceReport | null>(null);
  problem = $state.raw<unknown>(null);
  /** It was deleted, or never was. */
  gone = $state(false);
  readonly id: string;
  readonly #live: Live;
  readonly #snapshot: Snapshot;
  readonly #path: { sequence_id: string };
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(id: string, live: Live) {
    this.id = id;
    this.#live = live;
    this.#snapshot = snapshotOf(live, id, () => this.load());
    this.#path = { sequence_id: id };
  }

  follow(): () => void {
    const ends = [
      this.#snapshot.follow(() => this.load()),
      this.#live.subscribe((frame) => frame.code === 'MESSAGE_STATUS' && this.#soon()),
    ];
    return () => {
      ends.forEach((end) => end());
      if (this.#timer) clearTimeout(this.#timer);
    };
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.load();
    }, FIGURES);
  }

  async load(): Promise<void> {
    const params = { path: this.#path };
    try {
      const report = { ...params, query: { days: 0 } };
      await this.#snapshot.take(
        () =>
          Promise.all([
            data(api.GET('/api/v1/sequences/{sequence_id}', { params })),
            data(api.GET('/api/v1/sequences/{sequence_id}/report', { params: report })),
          ]),
        (found) => ([this.shown, this.report, this.problem] = [...found, null]),
      );
    } catch (error) {
      if (error instanceof Problem && error.status === 404) [this.gone, this.shown] = [true, null];
      else this.problem = error;
    }
  }

  /** @throws Problem */
  async change(body: Partial<SequenceFields> & { state?: Sequence['state'] }): Promise<void> {
    await data(api.PATCH('/api/v1/sequences/{sequence_id}', { params: { path: this.#path }, body }));
    await this.load();
  }

  /** Nobody more enters by it. @throws Problem 409 when it has ended meanwhile */
  async cancelIntake(intake: string): Promise<void> {
    const params = { path: { ...this.#path, intake_id: intake } };
    await data(api.POST('/api/v1/sequences/{sequence_id}/intakes/{intake_id}/cancel', { params }));
    await this.load();
  }

  /** @throws Problem */
  async remove(): Promise<void> {
    await data(api.DELETE('/api/v1/sequences/{sequence_id}', { params: { path: this.#path } }));
  }

  /**
   * A new step, or a changed one.
   *
   * @param step its id; null: it is new
   * @throws Problem
   */
  async saveStep(step: string | null, body: StepFields, position?: number): Promise<void> {
    const where = position === undefined ? {} : { position };
    if (step === null) {
      const params = { path: this.#path, header: { 'Idempotency-Key': requestKey() } };
      await data(api.POST('/api/v1/sequences/{sequence_id}/steps', { params, body: { ...body, ...where } }));
    } else {
      const params = { path: { ...this.#path, step_id: step } };
      await data(api.PATCH('/api/v1/sequences/{sequence_id}/steps/{step_id}', { params, body }));
    }
    await this.load();
  }

  /** @throws Problem */
  async moveStep(step: string, position: number): Promise<void> {
    const params = { path: { ...this.#path, step_id: step } };
    await data(api.PATCH('/api/v1/sequences/{sequence_id}/steps/{step_id}', { params, body: { position } }));
    await this.load();
  }

  /** @throws Problem */
  async removeStep(step: string): Promise<void> {
    const params = { path: { ...this.#path, step_id: step } };
    await data(api.DELETE('/api/v1/sequences/{sequence_id}/steps/{step_id}', { params }));
    await this.load();
  }
}

export interface SequenceFields {
  name: string;
  trigger: string | null;
  next_sequence_id: string | null;
  stop_on_reply: boolean;
}

/** @throws Problem */
export async function createSequence(body: SequenceFields): Promise<SequenceWithSteps> {
  const params = { header: { 'Idempotency-Key': requestKey() } };
  return data(api.POST('/api/v1/sequences', { params, body }));
}

/** The leads of a sequence, newest first, in one state or all. */
export class Enrolments {
  list = $state.raw<readonly Enrolment[] | null>(null);
  problem = $state.raw<unknown>(null);
  next = $state.raw<string | null>(null);
  state = $state.raw<Enrolment['state'] | null>(null);
  search = $state.raw('');
  readonly #sequence: string;
  readonly #snapshot: Snapshot;

  constructor(sequence: string, live: Live) {
    this.#sequence = sequence;
    this.#snapshot = snapshotOf(live, sequence, () => this.load());
  }

  follow(): () => void {
    return this.#snapshot.follow(() => this.load());
  }

  async load(): Promise<void> {
    try {
      await this.#snapshot.take(
        () => this.#page(null, Math.max(PAGE, Math.min(200, this.list?.length ?? 0))),
        (page) => ([this.list, this.next, this.problem] = [page.items, page.next, null]),
      );
    } catch (error) {
      this.problem = error;
    }
  }

  /** @throws Problem */
  async more(): Promise<void> {
    const after = this.next;
    if (after === null) return;
    const page = await this.#page(after, PAGE);
    // the list was fetched again meanwhile, or the button was pressed twice
    if (this.next !== after) return;
    [this.list, this.next] = [[...(this.list ?? []), ...page.items], page.next];
  }

  #page(after: string | null, limit: number): Promise<{ items: Enrolment[]; next: string | null }> {
    const query = { limit, after, state: this.state, search: this.search.trim() || null };
    const params = { path: { sequence_id: this.#sequence }, query };
    return data(api.GET('/api/v1/sequences/{sequence_id}/enrolments', { params }));
  }

  /** @throws Problem 409 when it has ended meanwhile */
  async change(one: Enrolment, to: 'active' | 'paused' | 'stopped' | 'skip'): Promise<void> {
    const params = { path: { sequence_id: this.#sequence, enrolment_id: one.id } };
    const path = '/api/v1/sequences/{sequence_id}/enrolments/{enrolment_id}';
    if (to === 'skip') await data(api.POST(`${path}/skip`, { params }));
    else await data(api.PATCH(path, { params, body: { state: to } }));
    await this.load();
  }
}
