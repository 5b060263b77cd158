/** One action on many devices, a part after the other: how far it is can be seen, and it can be stopped. */
import { api, data, requestKey } from '../api/client';
import type { ChangedDevices, Pacing, PacingChange, Skipped } from '../api/types';
import { restoring } from './pacing';

export type BulkAction = Exclude<ChangedDevices['action'], 'logout'>;

/** What takes an action back; a deleted device stays deleted, and a pace has none. */
const OPPOSITE: Record<Exclude<BulkAction, 'delete' | 'set_pacing'>, BulkAction> = {
  connect: 'disconnect',
  disconnect: 'connect',
  add_tags: 'remove_tags',
  remove_tags: 'add_tags',
};

/** Devices a request. Deleting one with many messages takes a while, and the bar should move. */
const AT_ONCE = { delete: 25, others: 500 };

export interface Step {
  action: BulkAction;
  ids: string[];
  /** One tag, or none: so that taking it back takes away no tag that was there before. */
  tag: string | null;
  /** For `set_pacing`. */
  pacing?: PacingChange;
}

export interface Outcome {
  action: BulkAction;
  changed: ReadonlySet<string>;
  unchanged: number;
  skipped: readonly Skipped[];
  /** How many it was not, or not wholly, tried on: a person stopped it, or a request failed with `problem`. */
  left: number;
  problem: unknown;
  /** What would take it back; empty where nothing can or need be. */
  undo: readonly Step[];
}

/** The steps of an action: one, or one for each tag. */
export function steps(action: BulkAction, ids: readonly string[], tags: readonly string[] = []): Step[] {
  const each = action === 'add_tags' || action === 'remove_tags' ? tags : [null];
  return each.map((tag) => ({ action, ids: [...ids], tag }));
}

export class Bulk {
  running = $state.raw<{ action: BulkAction; done: number; of: number } | null>(null);
  #stopped = false;
  readonly #paceOf: (id: string) => Pacing | undefined;

  /** @param paceOf the pace a device has now, so that another can be taken back */
  constructor(paceOf: (id: string) => Pacing | undefined = () => undefined) {
    this.#paceOf = paceOf;
  }

  /** Ends the run after the request that is under way. */
  stop(): void {
    this.#stopped = true;
  }

  /** Does the steps, all of one action. Never throws: what failed is told with what was done. */
  async run(planned: readonly Step[]): Promise<Outcome> {
    const action = planned[0]!.action;
    const devices = new Set(planned.flatMap((step) => step.ids));
    const changed = new Set<string>();
    const undo: Step[] = [];
    const skipped = new Map<string, Skipped>();
    const todo = parts(planned);
    let problem: unknown = null;
    this.#stopped = false;
    this.#show(action, todo, devices);
    try {
      while (todo.length > 0 && !this.#stopped) {
        const step = todo[0]!;
        const paces = this.#paces(step.ids);
        const answer = await ask(step);
        for (const id of answer.changed) changed.add(id);
        for (const one of answer.skipped) skipped.set(one.device_id, one);
        undo.push(...opposite({ ...step, ids: answer.changed }, paces));
        todo.shift();
        this.#show(action, todo, devices);
      }
    } catch (error) {
      problem = error;
    } finally {
      this.running = null;
    }
    const left = untried(todo);
    const unchanged = [...devices].filter((id) => !changed.has(id) && !skipped.has(id) && !left.has(id)).length;
    return { action, changed, unchanged, skipped: [...skipped.values()], left: left.size, problem, undo };
  }

  #paces(ids: readonly string[]): ReadonlyMap<string, Pacing> {
    const known = ids.map((id) => [id, this.#paceOf(id)] as const);
    return new Map(known.filter((one): one is readonly [string, Pacing] => one[1] !== undefined));
  }

  #show(action: BulkAction, todo: readonly Step[], devices: ReadonlySet<string>): void {
    this.running = { action, done: devices.size - untried(todo).size, of: devices.size };
  }
}

/** Devices with something still to do. */
function untried(todo: readonly Step[]): Set<string> {
  return new Set(todo.flatMap(({ ids }) => ids));
}

/** What takes back a step that was done, for those it changed. */
function opposite({ action, ids, tag, pacing }: Step, paces: ReadonlyMap<string, Pacing>): Step[] {
  if (action === 'delete' || ids.length === 0) return [];
  if (action !== 'set_pacing') return [{ action: OPPOSITE[action], ids, tag }];
  return restoring(ids, pacing!, paces).map((group) => ({ action, tag: null, ...group }));
}

function parts(planned: readonly Step[]): Step[] {
  return planned.flatMap((step) => {
    const { action, ids } = step;
    const size = action === 'delete' ? AT_ONCE.delete : AT_ONCE.others;
    const starts = Array.from({ length: Math.ceil(ids.length / size) }, (_, part) => part * size);
    return starts.map((start) => ({ ...step, ids: ids.slice(start, start + size) }));
  });
}

function ask({ action, ids, tag, pacing }: Step): Promise<ChangedDevices> {
  const params = { header: { 'Idempotency-Key': requestKey() } };
  const body = { action, device_ids: ids, ...(tag === null ? {} : { tags: [tag] }), pacing };
  return data(api.POST('/api/v1/devices/bulk', { params, body }));
}
